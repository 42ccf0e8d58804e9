interface Request {
  variables?: Record<string, unknown> | null | undefined;
}

/** Wraps a client of graphql-ws or graphql-sse so that its streams resume from the last received cursor. */
export function resuming<C extends { subscribe: Subscribe }>(client: C): C {
  const subscribe: Subscribe = (request, sink, ...rest) => {
    // After a reconnect, the client sends this object again, with the cursor that it contains then.
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

// biome-ignore lint/suspicious/noExplicitAny: both libraries have this shape under different names
type Subscribe = (request: Request & any, sink: any, ...rest: any[]) => () => void;
