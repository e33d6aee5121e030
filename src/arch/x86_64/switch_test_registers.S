// void* burrow_test_switch(Context* from, Context* to, void* value, const uint64_t in[6],
//                          uint64_t out[6]): for switch_test.cc.
//
//   rbx, rbp, r12..r15 = in;  value = burrow_switch_context(from, to, value);
//   out = rbx, rbp, r12..r15;  return value;
        .text
        .globl  burrow_test_switch
        .hidden burrow_test_switch
        .type   burrow_test_switch, @function
burrow_test_switch:
        .cfi_startproc
        pushq   %rbx
        pushq   %rbp
        pushq   %r12
        pushq   %r13
        pushq   %r14
        pushq   %r15
        pushq   %r8
        .cfi_adjust_cfa_offset 56
        movq    (%rcx), %rbx
        movq    8(%rcx), %rbp
        movq    16(%rcx), %r12
        movq    24(%rcx), %r13
        movq    32(%rcx), %r14
        movq    40(%rcx), %r15
        callq   burrow_switch_context
        popq    %r8
        .cfi_adjust_cfa_offset -8
        movq    %rbx, (%r8)
        movq    %rbp, 8(%r8)
        movq    %r12, 16(%r8)
        movq    %r13, 24(%r8)
        movq    %r14, 32(%r8)
        movq    %r15, 40(%r8)
        popq    %r15
        popq    %r14
        popq    %r13
        popq    %r12
        popq    %rbp
        popq    %rbx
        .cfi_adjust_cfa_offset -48
        ret
        .cfi_endproc
        .size   burrow_test_switch, .-burrow_test_switch
        .section .note.GNU-stack, "", @progbits
