import type { Fetcher } from '@graphiql/toolkit';

/** The part of graphql-ws's client that this module uses. */
interface Connection {
  /** Closes the websocket; running operations start again on the next one. */
  terminate(): void;
}

/**
 * Sends the token from GraphiQL's headers over the websocket too. A websocket has one token as long
 * as it is open, so another token needs another websocket.
 * @param connect creates the connection, which reads its parameters each time it opens
 */
export function authorizeConnection<C extends Connection>(
  connect: (connectionParams: () => Readonly<Record<string, string>>) => C,
  createFetcher: (connection: C) => Fetcher,
): Fetcher {
  let authorization: string | undefined;
  const connection = connect(() => (authorization === undefined ? {} : { authorization }));
  const fetcher = createFetcher(connection);
  return (operation, options) => {
    const given = authorizationIn(options?.headers);
    if (given !== authorization) {
      authorization = given;
      connection.terminate();
    }
    return fetcher(operation, options);
  };
}

function authorizationIn(headers: Readonly<Record<string, unknown>> = {}): string | undefined {
  const found = Object.entries(headers).find(([name]) => name.toLowerCase() === 'authorization');
  return typeof found?.[1] === 'string' && found[1] !== '' ? found[1] : undefined;
}
