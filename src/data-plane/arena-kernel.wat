;; The few loops over payload bytes that JavaScript cannot do at memory speed.
;; Offsets are unsigned 32-bit; the caller has checked every range.
(module
  (import "arena" "memory" (memory 1 65535 shared))

  ;; Copies $length bytes. Up to 128 bytes with overlapping loads and stores instead of a call.
  (func $copy (export "copy") (param $to i32) (param $from i32) (param $length i32)
    (local $end_to i32) (local $end_from i32)
    (if (i32.gt_u (local.get $length) (i32.const 128))
      (then (memory.copy (local.get $to) (local.get $from) (local.get $length)) (return)))
    (local.set $end_to (i32.add (local.get $to) (local.get $length)))
    (local.set $end_from (i32.add (local.get $from) (local.get $length)))
    (if (i32.ge_u (local.get $length) (i32.const 16))
      (then
        (v128.store (local.get $to) (v128.load (local.get $from)))
        (if (i32.gt_u (local.get $length) (i32.const 32)) (then
          (v128.store offset=16 (local.get $to) (v128.load offset=16 (local.get $from)))
          (v128.store (i32.sub (local.get $end_to) (i32.const 32))
                      (v128.load (i32.sub (local.get $end_from) (i32.const 32))))
          (if (i32.gt_u (local.get $length) (i32.const 64)) (then
            (v128.store offset=32 (local.get $to) (v128.load offset=32 (local.get $from)))
            (v128.store offset=48 (local.get $to) (v128.load offset=48 (local.get $from)))
            (v128.store (i32.sub (local.get $end_to) (i32.const 48))
                        (v128.load (i32.sub (local.get $end_from) (i32.const 48))))
            (v128.store (i32.sub (local.get $end_to) (i32.const 64))
                        (v128.load (i32.sub (local.get $end_from) (i32.const 64))))))))
        (v128.store (i32.sub (local.get $end_to) (i32.const 16))
                    (v128.load (i32.sub (local.get $end_from) (i32.const 16))))
        (return)))
    (if (i32.ge_u (local.get $length) (i32.const 8))
      (then
        (i64.store (local.get $to) (i64.load (local.get $from)))
        (i64.store (i32.sub (local.get $end_to) (i32.const 8))
                   (i64.load (i32.sub (local.get $end_from) (i32.const 8))))
        (return)))
    ;; At most seven bytes are left.
    (block $done
      (loop $byte
        (br_if $done (i32.eq (local.get $to) (local.get $end_to)))
        (i32.store8 (local.get $to) (i32.load8_u (local.get $from)))
        (local.set $to (i32.add (local.get $to) (i32.const 1)))
        (local.set $from (i32.add (local.get $from) (i32.const 1)))
        (br $byte))))

  ;; A packet whose first $head_length bytes were taken aside and whose rest is at $rest.
  (func (export "join") (param $to i32) (param $head i32) (param $head_length i32)
                        (param $rest i32) (param $rest_length i32)
    (call $copy (local.get $to) (local.get $head) (local.get $head_length))
    (if (local.get $rest_length) (then
      (call $copy (i32.add (local.get $to) (local.get $head_length))
                  (local.get $rest) (local.get $rest_length)))))

  ;; Ones' complement sum (RFC 1071) of little-endian 16-bit words, folded to 16 bits, on top of $sum.
  (func (export "sum16") (param $at i32) (param $length i32) (param $sum i32) (result i32)
    (local $total i64) (local $end i32)
    (local.set $total (i64.extend_i32_u (local.get $sum)))
    (local.set $end (i32.add (local.get $at) (i32.and (local.get $length) (i32.const -4))))
    (block $words_done
      (loop $word
        (br_if $words_done (i32.eq (local.get $at) (local.get $end)))
        (local.set $total (i64.add (local.get $total) (i64.load32_u (local.get $at))))
        (local.set $at (i32.add (local.get $at) (i32.const 4)))
        (br $word)))
    (if (i32.and (local.get $length) (i32.const 2)) (then
      (local.set $total (i64.add (local.get $total) (i64.load16_u (local.get $at))))
      (local.set $at (i32.add (local.get $at) (i32.const 2)))))
    (if (i32.and (local.get $length) (i32.const 1)) (then
      (local.set $total (i64.add (local.get $total) (i64.load8_u (local.get $at))))))
    ;; At most 2^14 words of 32 bits: two folds reach 32 bits, two more reach 16.
    (local.set $total (i64.add (i64.and (local.get $total) (i64.const 0xffffffff))
                               (i64.shr_u (local.get $total) (i64.const 32))))
    (local.set $total (i64.add (i64.and (local.get $total) (i64.const 0xffff))
                               (i64.shr_u (local.get $total) (i64.const 16))))
    (local.set $total (i64.add (i64.and (local.get $total) (i64.const 0xffff))
                               (i64.shr_u (local.get $total) (i64.const 16))))
    (local.set $total (i64.add (i64.and (local.get $total) (i64.const 0xffff))
                               (i64.shr_u (local.get $total) (i64.const 16))))
    (i32.wrap_i64 (local.get $total)))

  ;; Where the four bytes B, G, R, X come from in a pixel of each order.
  (func $order (param $order i32) (result v128)
    (if (i32.eq (local.get $order) (i32.const 1)) (then (return
      (v128.const i8x16 3 2 1 0 7 6 5 4 11 10 9 8 15 14 13 12))))
    (if (i32.eq (local.get $order) (i32.const 2)) (then (return
      (v128.const i8x16 2 1 0 3 6 5 4 7 10 9 8 11 14 13 12 15))))
    (if (i32.eq (local.get $order) (i32.const 3)) (then (return
      (v128.const i8x16 1 2 3 0 5 6 7 4 9 10 11 8 13 14 15 12))))
    (v128.const i8x16 0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15))

  ;; $count pixels of 4 bytes, brought into the order B, G, R, X, with X set to 0xff.
  (func (export "pixels") (param $to i32) (param $from i32) (param $count i32) (param $order i32)
    (local $bytes v128) (local $opaque v128) (local $end i32) (local $end_16 i32)
    (local.set $bytes (call $order (local.get $order)))
    (local.set $opaque (v128.const i32x4 0xff000000 0xff000000 0xff000000 0xff000000))
    (local.set $end (i32.add (local.get $to) (i32.shl (local.get $count) (i32.const 2))))
    (local.set $end_16 (i32.add (local.get $to)
                                (i32.shl (i32.and (local.get $count) (i32.const -16)) (i32.const 2))))
    (block $sixteens_done
      (loop $sixteen
        (br_if $sixteens_done (i32.eq (local.get $to) (local.get $end_16)))
        (v128.store (local.get $to) (v128.or (local.get $opaque)
          (i8x16.swizzle (v128.load (local.get $from)) (local.get $bytes))))
        (v128.store offset=16 (local.get $to) (v128.or (local.get $opaque)
          (i8x16.swizzle (v128.load offset=16 (local.get $from)) (local.get $bytes))))
        (v128.store offset=32 (local.get $to) (v128.or (local.get $opaque)
          (i8x16.swizzle (v128.load offset=32 (local.get $from)) (local.get $bytes))))
        (v128.store offset=48 (local.get $to) (v128.or (local.get $opaque)
          (i8x16.swizzle (v128.load offset=48 (local.get $from)) (local.get $bytes))))
        (local.set $to (i32.add (local.get $to) (i32.const 64)))
        (local.set $from (i32.add (local.get $from) (i32.const 64)))
        (br $sixteen)))
    ;; At most fifteen pixels are left.
    (block $done
      (loop $pixel
        (br_if $done (i32.eq (local.get $to) (local.get $end)))
        (v128.store32_lane 0 (local.get $to) (v128.or (local.get $opaque)
          (i8x16.swizzle (v128.load32_zero (local.get $from)) (local.get $bytes))))
        (local.set $to (i32.add (local.get $to) (i32.const 4)))
        (local.set $from (i32.add (local.get $from) (i32.const 4)))
        (br $pixel))))

  ;; $count pixels B, G, R, A with premultiplied alpha over pixels B, G, R, X:
  ;; colour + round(below * (255 - alpha) / 255), at most 255, and X set to 0xff.
  ;; With t = below * (255 - alpha) + 128 the rounded quotient is (t + t / 256) / 256, exactly.
  (func (export "blend") (param $to i32) (param $from i32) (param $count i32)
    (local $above v128) (local $below v128) (local $rest v128) (local $half v128)
    (local $low v128) (local $high v128) (local $step i32)
    (local.set $half (v128.const i16x8 128 128 128 128 128 128 128 128))
    (block $done
      (loop $pixels
        (br_if $done (i32.eqz (local.get $count)))
        (local.set $step (select (i32.const 4) (i32.const 1)
                                 (i32.ge_u (local.get $count) (i32.const 4))))
        (if (i32.eq (local.get $step) (i32.const 4))
          (then (local.set $above (v128.load (local.get $from)))
                (local.set $below (v128.load (local.get $to))))
          (else (local.set $above (v128.load32_zero (local.get $from)))
                (local.set $below (v128.load32_zero (local.get $to)))))
        (local.set $rest (v128.not (i8x16.shuffle 3 3 3 3 7 7 7 7 11 11 11 11 15 15 15 15
                                                  (local.get $above) (local.get $above))))
        (local.set $low (i16x8.add (local.get $half)
          (i16x8.extmul_low_i8x16_u (local.get $below) (local.get $rest))))
        (local.set $high (i16x8.add (local.get $half)
          (i16x8.extmul_high_i8x16_u (local.get $below) (local.get $rest))))
        (local.set $low (i16x8.shr_u
          (i16x8.add (local.get $low) (i16x8.shr_u (local.get $low) (i32.const 8)))
          (i32.const 8)))
        (local.set $high (i16x8.shr_u
          (i16x8.add (local.get $high) (i16x8.shr_u (local.get $high) (i32.const 8)))
          (i32.const 8)))
        (local.set $below (v128.or
          (v128.const i32x4 0xff000000 0xff000000 0xff000000 0xff000000)
          (i8x16.add_sat_u (local.get $above)
                           (i8x16.narrow_i16x8_u (local.get $low) (local.get $high)))))
        (if (i32.eq (local.get $step) (i32.const 4))
          (then (v128.store (local.get $to) (local.get $below)))
          (else (v128.store32_lane 0 (local.get $to) (local.get $below))))
        (local.set $count (i32.sub (local.get $count) (local.get $step)))
        (local.set $to (i32.add (local.get $to) (i32.shl (local.get $step) (i32.const 2))))
        (local.set $from (i32.add (local.get $from) (i32.shl (local.get $step) (i32.const 2))))
        (br $pixels))))

  ;; $count times the same 32 bits.
  (func (export "fill32") (param $to i32) (param $count i32) (param $value i32)
    (local $four v128) (local $end i32) (local $end_16 i32)
    (local.set $four (i32x4.splat (local.get $value)))
    (local.set $end (i32.add (local.get $to) (i32.shl (local.get $count) (i32.const 2))))
    (local.set $end_16 (i32.add (local.get $to)
                                (i32.shl (i32.and (local.get $count) (i32.const -16)) (i32.const 2))))
    (block $sixteens_done
      (loop $sixteen
        (br_if $sixteens_done (i32.eq (local.get $to) (local.get $end_16)))
        (v128.store (local.get $to) (local.get $four))
        (v128.store offset=16 (local.get $to) (local.get $four))
        (v128.store offset=32 (local.get $to) (local.get $four))
        (v128.store offset=48 (local.get $to) (local.get $four))
        (local.set $to (i32.add (local.get $to) (i32.const 64)))
        (br $sixteen)))
    ;; At most fifteen words are left.
    (block $done
      (loop $word
        (br_if $done (i32.eq (local.get $to) (local.get $end)))
        (i32.store (local.get $to) (local.get $value))
        (local.set $to (i32.add (local.get $to) (i32.const 4)))
        (br $word))))

  ;; CRC-32 (IEEE 802.3), continued from $crc, sixteen bytes at a time: table n at $tables + 1024 n
  ;; says what a byte does to the sum when n bytes follow it.
  (func (export "crc32") (param $at i32) (param $length i32) (param $crc i32) (param $tables i32)
                         (result i32)
    (local $end i32) (local $end_16 i32) (local $a i32) (local $b i32) (local $c i32) (local $d i32)
    (local.set $crc (i32.xor (local.get $crc) (i32.const -1)))
    (local.set $end (i32.add (local.get $at) (local.get $length)))
    (local.set $end_16 (i32.add (local.get $at) (i32.and (local.get $length) (i32.const -16))))
    (block $sixteens_done
      (loop $sixteen
        (br_if $sixteens_done (i32.eq (local.get $at) (local.get $end_16)))
        (local.set $a (i32.xor (i32.load (local.get $at)) (local.get $crc)))
        (local.set $b (i32.load offset=4 (local.get $at)))
        (local.set $c (i32.load offset=8 (local.get $at)))
        (local.set $d (i32.load offset=12 (local.get $at)))
        ;; The first word comes last: it alone has to wait for the sum so far.
        (local.set $crc (i32.load offset=11264 (i32.add (local.get $tables)
          (i32.and (i32.shl (local.get $b) (i32.const 2)) (i32.const 0x3fc)))))
        (local.set $crc (i32.xor (local.get $crc) (i32.load offset=10240 (i32.add (local.get $tables)
          (i32.and (i32.shr_u (local.get $b) (i32.const 6)) (i32.const 0x3fc))))))
        (local.set $crc (i32.xor (local.get $crc) (i32.load offset=9216 (i32.add (local.get $tables)
          (i32.and (i32.shr_u (local.get $b) (i32.const 14)) (i32.const 0x3fc))))))
        (local.set $crc (i32.xor (local.get $crc) (i32.load offset=8192 (i32.add (local.get $tables)
          (i32.and (i32.shr_u (local.get $b) (i32.const 22)) (i32.const 0x3fc))))))
        (local.set $crc (i32.xor (local.get $crc) (i32.load offset=7168 (i32.add (local.get $tables)
          (i32.and (i32.shl (local.get $c) (i32.const 2)) (i32.const 0x3fc))))))
        (local.set $crc (i32.xor (local.get $crc) (i32.load offset=6144 (i32.add (local.get $tables)
          (i32.and (i32.shr_u (local.get $c) (i32.const 6)) (i32.const 0x3fc))))))
        (local.set $crc (i32.xor (local.get $crc) (i32.load offset=5120 (i32.add (local.get $tables)
          (i32.and (i32.shr_u (local.get $c) (i32.const 14)) (i32.const 0x3fc))))))
        (local.set $crc (i32.xor (local.get $crc) (i32.load offset=4096 (i32.add (local.get $tables)
          (i32.and (i32.shr_u (local.get $c) (i32.const 22)) (i32.const 0x3fc))))))
        (local.set $crc (i32.xor (local.get $crc) (i32.load offset=3072 (i32.add (local.get $tables)
          (i32.and (i32.shl (local.get $d) (i32.const 2)) (i32.const 0x3fc))))))
        (local.set $crc (i32.xor (local.get $crc) (i32.load offset=2048 (i32.add (local.get $tables)
          (i32.and (i32.shr_u (local.get $d) (i32.const 6)) (i32.const 0x3fc))))))
        (local.set $crc (i32.xor (local.get $crc) (i32.load offset=1024 (i32.add (local.get $tables)
          (i32.and (i32.shr_u (local.get $d) (i32.const 14)) (i32.const 0x3fc))))))
        (local.set $crc (i32.xor (local.get $crc) (i32.load offset=0 (i32.add (local.get $tables)
          (i32.and (i32.shr_u (local.get $d) (i32.const 22)) (i32.const 0x3fc))))))
        (local.set $crc (i32.xor (local.get $crc) (i32.load offset=15360 (i32.add (local.get $tables)
          (i32.and (i32.shl (local.get $a) (i32.const 2)) (i32.const 0x3fc))))))
        (local.set $crc (i32.xor (local.get $crc) (i32.load offset=14336 (i32.add (local.get $tables)
          (i32.and (i32.shr_u (local.get $a) (i32.const 6)) (i32.const 0x3fc))))))
        (local.set $crc (i32.xor (local.get $crc) (i32.load offset=13312 (i32.add (local.get $tables)
          (i32.and (i32.shr_u (local.get $a) (i32.const 14)) (i32.const 0x3fc))))))
        (local.set $crc (i32.xor (local.get $crc) (i32.load offset=12288 (i32.add (local.get $tables)
          (i32.and (i32.shr_u (local.get $a) (i32.const 22)) (i32.const 0x3fc))))))
        (local.set $at (i32.add (local.get $at) (i32.const 16)))
        (br $sixteen)))
    ;; At most fifteen bytes are left.
    (block $done
      (loop $byte
        (br_if $done (i32.eq (local.get $at) (local.get $end)))
        (local.set $crc (i32.xor
          (i32.shr_u (local.get $crc) (i32.const 8))
          (i32.load (i32.add (local.get $tables)
            (i32.shl (i32.and (i32.xor (local.get $crc) (i32.load8_u (local.get $at)))
                              (i32.const 0xff))
                     (i32.const 2))))))
        (local.set $at (i32.add (local.get $at) (i32.const 1)))
        (br $byte)))
    (i32.xor (local.get $crc) (i32.const -1)))
)
