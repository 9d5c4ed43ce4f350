/**
 * The tool of the contract tests: the compiler compares a type with the one that is promised. At run time it
 * does nothing.
 */

/** Fails to compile unless `T` is exactly `Want`. */
export function exactly<Want>() {
  return <T>(
    _value: T,
    ..._proof: (<X>() => X extends T ? 1 : 2) extends <X>() => X extends Want ? 1 : 2 ? [] : [wanted: Want]
  ): void => {}
}
