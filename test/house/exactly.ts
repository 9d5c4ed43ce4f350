/** What the tests of the public types share: a check that the compiler makes, and that does nothing. */

/** Fails to compile unless `T` is exactly `Want`. */
export function exactly<Want>() {
  return <T>(
    _value: T,
    ..._proof: (<X>() => X extends T ? 1 : 2) extends <X>() => X extends Want ? 1 : 2 ? [] : [wanted: Want]
  ): void => {}
}
