/** Creates a channel whose events reach every listener that is subscribed at that moment. */
export function createChannel<T>() {
  const listeners = new Set<(event: T | typeof END) => void>();
  return {
    listening: () => listeners.size,
    publish: (event: T) => {
      for (const listener of listeners) listener(event);
    },
    end: () => {
      for (const listener of listeners) listener(END);
    },
    listen: (first: readonly T[] = []): AsyncGenerator<T> => {
      const pending: (T | typeof END)[] = [...first];
      let wake = (): void => {};
      let over = false;
      const listener = (event: T | typeof END): void => {
        pending.push(event);
        wake();
      };
      listeners.add(listener);
      const leave = async () => {
        over = true;
        listeners.delete(listener);
        wake();
        return { done: true as const, value: undefined };
      };
      return {
        next: async () => {
          while (pending.length === 0 && !over) {
            await new Promise<void>((resolve) => {
              wake = resolve;
            });
          }
          const event = pending.shift();
          if (over || event === undefined || event === END) return leave();
          return { done: false, value: event };
        },
        return: leave,
        throw: leave,
        [Symbol.asyncIterator]() {
          return this;
        },
        [Symbol.asyncDispose]: async () => void (await leave()),
      };
    },
  };
}

const END = Symbol('end');
