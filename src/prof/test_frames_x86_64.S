// Frames that compilers write rarely, by hand. See test_frames.h.
//
//   void aligned_like_gcc(Callback f, void* argument) { realign to 64; f(argument); }
//     frame: [return][rbp copy of return][saved rbp] <- rbp, [CFA] at rbp - 8
//   void cfa_in_rbx(f, argument)  { CFA = rbx + 16 }
//   void rbp_is_data(f, argument) { rbp = 8: not a frame pointer, though it is saved }
    .text

    .globl aligned_like_gcc
    .hidden aligned_like_gcc
    .type aligned_like_gcc, @function
aligned_like_gcc:
    .cfi_startproc
    leaq 8(%rsp), %r10
    .cfi_def_cfa %r10, 0
    andq $-64, %rsp
    pushq -8(%r10)
    pushq %rbp
    movq %rsp, %rbp
    .cfi_escape 0x10, 6, 2, 0x76, 0           // rbp: DW_OP_breg6 0
    pushq %r10
    .cfi_escape 0x0f, 3, 0x76, 0x78, 0x06     // CFA: DW_OP_breg6 -8, DW_OP_deref
    subq $56, %rsp
    movq %rdi, %rax
    movq %rsi, %rdi
    call *%rax
    addq $56, %rsp
    popq %r10
    .cfi_def_cfa %r10, 0
    popq %rbp
    leaq -8(%r10), %rsp
    .cfi_def_cfa %rsp, 8
    ret
    .cfi_endproc
    .size aligned_like_gcc, . - aligned_like_gcc

    .globl cfa_in_rbx
    .hidden cfa_in_rbx
    .type cfa_in_rbx, @function
cfa_in_rbx:
    .cfi_startproc
    pushq %rbx
    .cfi_def_cfa_offset 16
    .cfi_offset %rbx, -16
    movq %rsp, %rbx
    .cfi_def_cfa_register %rbx
    subq $64, %rsp
    andq $-16, %rsp
    movq %rdi, %rax
    movq %rsi, %rdi
    call *%rax
    movq %rbx, %rsp
    .cfi_def_cfa_register %rsp
    popq %rbx
    .cfi_restore %rbx
    .cfi_def_cfa_offset 8
    ret
    .cfi_endproc
    .size cfa_in_rbx, . - cfa_in_rbx

    .globl rbp_is_data
    .hidden rbp_is_data
    .type rbp_is_data, @function
rbp_is_data:
    .cfi_startproc
    pushq %rbp
    .cfi_def_cfa_offset 16
    .cfi_offset %rbp, -16
    movl $8, %ebp
    movq %rdi, %rax
    movq %rsi, %rdi
    call *%rax
    popq %rbp
    .cfi_restore %rbp
    .cfi_def_cfa_offset 8
    ret
    .cfi_endproc
    .size rbp_is_data, . - rbp_is_data

    .section .note.GNU-stack, "", @progbits
