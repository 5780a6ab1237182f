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
)
