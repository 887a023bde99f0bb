# A boot sector that proves long mode: it ends QEMU with code 33 through the device isa-debug-exit at port 0xf4.
#
#   as --32 -o long_mode.o long_mode.S && ld -m elf_i386 -Ttext 0x7c00 --oformat binary -o long_mode.bin long_mode.o
#
# The bytes stand in accel.py, where a test compares them with this text. The BIOS adds nothing to them: it loads the
# sector at 0x7c00 and jumps there in real mode.

        .intel_syntax noprefix
        .globl  _start

        .set    TABLES, 0x1000          # three pages of page tables; the BIOS leaves this memory to us
        .set    RESULT, 16              # QEMU exits with (16 << 1) | 1

        .code16
_start: cli
        cld
        xor     ax, ax
        mov     ds, ax
        mov     es, ax

        mov     di, TABLES              # all entries: not present
        mov     cx, 3 * 4096 / 2
        rep stosw
        mov     word ptr [TABLES], TABLES + 0x1003              # level 4: one entry, present, writable
        mov     word ptr [TABLES + 0x1000], TABLES + 0x2003     # level 3: one entry
        mov     word ptr [TABLES + 0x2000], 0x0083              # level 2: the first 2 MiB as one large page

        lgdt    [table]
        mov     eax, 0x20               # CR4.PAE: long mode needs it
        mov     cr4, eax
        mov     eax, TABLES
        mov     cr3, eax
        mov     ecx, 0xc0000080         # EFER.LME: long mode is to begin with paging
        rdmsr
        or      ax, 0x100
        wrmsr
        mov     eax, cr0
        or      eax, 0x80000001         # CR0.PG and CR0.PE in one step
        mov     cr0, eax
        .byte   0xea                    # jmp 0x08:long
        .word   long
        .word   0x08

        # Assembled as 32-bit code with the REX prefixes written out, so that one section holds all.
        .code32
long:   .byte   0x48                    # mov rax, 16 << 36, which no 32-bit register holds
        .byte   0xb8
        .long   0
        .long   RESULT << 4
        .byte   0x48                    # shr rax, 36
        shr     eax, 36
        out     0xf4, al
halt:   hlt
        jmp     halt

        .balign 8
table:  .word   2 * 8 - 1               # the GDT's limit and address, in the place of its unused first entry
        .long   table
        .word   0
        .quad   0x00209a0000000000      # 0x08: 64-bit code
