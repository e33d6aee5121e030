// void* burrow_switch_context(Context* from, Context* to, void* value). See arch.h.
//
//   push rbp, rbx, r12..r15, mxcsr and the x87 control word;
//   from->sp = rsp;  rsp = to->sp;
//   pop the control words, r15..r12, rbx, rbp;  return value;      // to the caller on the other stack
//
// The frame, on both stacks:            offset from rsp
//        return address                  56
//        rbp                             48
//        rbx                             40
//        r12 r13 r14 r15                 32 24 16 8
//        x87 control word                 4
//        mxcsr                            0   <- sp
//
// rsp changes stacks in one instruction, and the CFI says the same of both, so that it is true on
// either side.
        .text
        .globl  burrow_switch_context
        .hidden burrow_switch_context
        .type   burrow_switch_context, @function
        .p2align 5
burrow_switch_context:
        .cfi_startproc
        pushq   %rbp
        .cfi_adjust_cfa_offset 8
        .cfi_rel_offset %rbp, 0
        pushq   %rbx
        .cfi_adjust_cfa_offset 8
        .cfi_rel_offset %rbx, 0
        pushq   %r12
        .cfi_adjust_cfa_offset 8
        .cfi_rel_offset %r12, 0
        pushq   %r13
        .cfi_adjust_cfa_offset 8
        .cfi_rel_offset %r13, 0
        pushq   %r14
        .cfi_adjust_cfa_offset 8
        .cfi_rel_offset %r14, 0
        pushq   %r15
        .cfi_adjust_cfa_offset 8
        .cfi_rel_offset %r15, 0
        leaq    -8(%rsp), %rsp
        .cfi_adjust_cfa_offset 8
        stmxcsr (%rsp)
        fnstcw  4(%rsp)

        movq    %rsp, (%rdi)
        movq    (%rsi), %rsp

        movq    %rdx, %rax
        ldmxcsr (%rsp)
        fldcw   4(%rsp)
        leaq    8(%rsp), %rsp
        .cfi_adjust_cfa_offset -8
        popq    %r15
        .cfi_adjust_cfa_offset -8
        .cfi_restore %r15
        popq    %r14
        .cfi_adjust_cfa_offset -8
        .cfi_restore %r14
        popq    %r13
        .cfi_adjust_cfa_offset -8
        .cfi_restore %r13
        popq    %r12
        .cfi_adjust_cfa_offset -8
        .cfi_restore %r12
        popq    %rbx
        .cfi_adjust_cfa_offset -8
        .cfi_restore %rbx
        popq    %rbp
        .cfi_adjust_cfa_offset -8
        .cfi_restore %rbp
        ret
        .cfi_endproc
        .size   burrow_switch_context, .-burrow_switch_context
        .section .note.GNU-stack, "", @progbits
