interface Request {
  variables?: Record<string, unknown> | null | undefined;
}

/** A client of graphql-ws or graphql-sse whose streams go on from the last cursor they saw. */
export function resuming<C extends { subscribe: Subscribe }>(client: C): C {
  const subscribe: Subscribe = (request, sink, ...rest) => {
    // On a new connection the client sends this very object again, with what it holds by then.
    const current = { ...request, variables: { ...request.variables } as Record<string, unknown> };
    const next = (result: { data?: unknown }) => {
      const [event] = Object.values(result.data ?? {}) as { cursor?: string }[];
      if (event?.cursor) current.variables['after'] = event.cursor;
      sink.next(result);
    };
    return client.subscribe(current, { ...sink, next }, ...rest);
  };
  return { ...client, subscribe };
}

// biome-ignore lint/suspicious/noExplicitAny: the two libraries name the same shape differently
type Subscribe = (request: Request & any, sink: any, ...rest: any[]) => () => void;
