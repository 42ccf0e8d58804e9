import type { Fetcher } from '@graphiql/toolkit';

/** What of graphql-ws's client this needs. */
interface Connection {
  /** Closes it; operations that run begin anew on the next one. */
  terminate(): void;
}

/**
 * Shows a websocket the token that stands in the page's headers, as requests do by themselves. A
 * websocket carries one for as long as it is open, so another token opens another.
 * @param connect makes the connection; it asks for its parameters each time that it opens
 */
export function authoriseConnection<C extends Connection>(
  connect: (connectionParams: () => Readonly<Record<string, string>>) => C,
  createFetcher: (connection: C) => Fetcher,
): Fetcher {
  let authorization: string | undefined;
  const connection = connect(() => (authorization === undefined ? {} : { authorization }));
  const fetcher = createFetcher(connection);
  return (asked, options) => {
    const given = authorizationIn(options?.headers);
    if (given !== authorization) {
      authorization = given;
      connection.terminate();
    }
    return fetcher(asked, options);
  };
}

function authorizationIn(headers: Readonly<Record<string, unknown>> = {}): string | undefined {
  const found = Object.entries(headers).find(([name]) => name.toLowerCase() === 'authorization');
  return typeof found?.[1] === 'string' && found[1] !== '' ? found[1] : undefined;
}
