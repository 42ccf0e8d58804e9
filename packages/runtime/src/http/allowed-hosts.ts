import { isLoopbackHost } from './loopback.ts';

/** Checks the header `Host`, which shows the name under which a browser reached the server. */
export interface AllowedHosts {
  /**
   * @param host the header's value, such as `localhost:4000` or `[::1]:4000`
   * @param path the route. Probes may send any host
   */
  readonly allows: (host: string | undefined, path?: string) => boolean;
}

/** Allows every host. */
export const ANY_HOST: AllowedHosts = { allows: () => true };

/**
 * Creates the check of hosts against DNS rebinding: a website lets its own name resolve to this server,
 * so that the browser treats the server's answers as the website's own. The header then contains the
 * website's name.
 *
 * On a loopback address, only loopback hosts and the listed ones are allowed. On other addresses, every
 * host is allowed if none is listed. Probes may send any host or none, but a website must not read the
 * metrics of a developer's machine.
 * @param listed host names without ports
 */
export function createAllowedHosts({
  HOST,
  ALLOWED_HOSTS,
}: {
  readonly HOST: string;
  readonly ALLOWED_HOSTS: readonly string[];
}): AllowedHosts {
  const isLocal = isLoopbackHost(HOST.toLowerCase());
  if (ALLOWED_HOSTS.length === 0 && !isLocal) return ANY_HOST;
  const probes = new Set(isLocal ? ['/healthz', '/readyz'] : ['/healthz', '/readyz', '/metrics']);
  const listed = new Set(ALLOWED_HOSTS.map(nameIn));
  return {
    allows: (host, path) => {
      const name = host === undefined ? undefined : nameIn(host);
      if (name !== undefined && (isLoopbackHost(name) || listed.has(name))) return true;
      return path !== undefined && probes.has(path);
    },
  };
}

const WITH_PORT = /^(\[[\da-f:.]{2,45}\]|[^\s:/?#@[\]\\]{1,255})(?::\d{1,5})?$/i;

/** Returns the host of a `Host` header in lower case, without brackets and port. */
function nameIn(header: string): string | undefined {
  const host = WITH_PORT.exec(header)?.[1]?.toLowerCase();
  if (host === undefined) return undefined;
  return host.startsWith('[') ? host.slice(1, -1) : host.replace(/\.$/, '');
}

/** Whether a text is a host without a port, as `ALLOWED_HOSTS` lists it. */
export function isHost(text: string): boolean {
  return WITH_PORT.exec(text)?.[1] === text;
}

/** Error of a request whose host is not allowed. */
export class MisdirectedRequest extends Error {
  readonly statusCode = 421;
  readonly code = 'MISDIRECTED_REQUEST';

  constructor() {
    super(
      'The header Host must name localhost, a loopback address or a host that ALLOWED_HOSTS lists',
    );
    this.name = 'MisdirectedRequest';
  }
}
