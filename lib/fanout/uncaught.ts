/**
 * Calls what is the application's. As in any event's listener, what it throws is uncaught; but it breaks nothing of ours,
 * and keeps nothing from anybody else.
 */
export function callOut(callback: () => void): void {
  try {
    callback();
  } catch (error) {
    process.nextTick(() => {
      throw error;
    });
  }
}
