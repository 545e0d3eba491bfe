/**
 * Counts how many characters `run` looks at: its calls of `charCodeAt`, which is how our scanners read. A count is the
 * same on every machine, which a measured time is not.
 */
export function countSteps(run: () => void): number {
  const native = String.prototype.charCodeAt;
  let steps = 0;
  String.prototype.charCodeAt = function (this: string, at: number): number {
    steps++;
    return native.call(this, at);
  };
  try {
    run();
  } finally {
    String.prototype.charCodeAt = native;
  }
  return steps;
}
