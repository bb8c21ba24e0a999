// The time of the window, for ages and due clocks. Ticks once a second while the window is visible.

class WindowClock {
  /** Unix milliseconds, to the second. */
  now = $state(Date.now());

  start(): () => void {
    const tick = (): void => {
      if (!document.hidden) this.now = Date.now();
    };
    const timer = setInterval(tick, 1_000);
    document.addEventListener('visibilitychange', tick);
    return () => {
      clearInterval(timer);
      document.removeEventListener('visibilitychange', tick);
    };
  }
}

export const clock = new WindowClock();
