/** A loop that workers import by name, for the cost test to compare with the same loop sent by value. */
export function count(n: number): number {
  let total = 0
  for (let i = 0; i < n; i++) total = (total + i * 3) % 1_000_003
  return total
}
