// happy-dom does not know these; the components need them to exist, tests that depend on them replace them.

class Observer {
  observe(): void {}
  unobserve(): void {}
  disconnect(): void {}
}

globalThis.ResizeObserver ??= Observer as unknown as typeof ResizeObserver;
