// void burrow_stack_entry(): the outermost frame of every goroutine. See arch.h.
//
//   rbx(value of the switch, r12);      // entry(value, argument), which does not return
//
// Reached by the `ret` of the first switch to a stack that make_context made:
//
//        end of the stack, 16-byte aligned   <- rsp on arrival
//        (SavedFrame, popped by the switch)
//
// The CFI says that there is no caller: walks, debuggers and exceptions end here.
        .text
        .globl  burrow_stack_entry
        .hidden burrow_stack_entry
        .type   burrow_stack_entry, @function
        .p2align 4
        // Walks look up return address - 1: the byte before the entry must belong to it.
        .cfi_startproc
        .cfi_undefined %rip
        nop
burrow_stack_entry:
        movq    %rax, %rdi
        movq    %r12, %rsi
        xorl    %ebp, %ebp
        callq   *%rbx
        ud2
        .cfi_endproc
        .size   burrow_stack_entry, .-burrow_stack_entry
        .section .note.GNU-stack, "", @progbits
