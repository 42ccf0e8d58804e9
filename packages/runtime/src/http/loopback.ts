const LOOPBACK_IPV4 = /^(?:::ffff:)?127(?:\.\d{1,3}){3}$/i;

/** Whether an address is a loopback address, such as `127.0.0.1`, `::1` or `::ffff:127.0.0.1`. */
export function isLoopbackAddress(address: string): boolean {
  return address === '::1' || LOOPBACK_IPV4.test(address);
}

/**
 * Whether a host name or address always means this machine: a loopback address, `localhost`, or a name
 * below it. No such name can be registered, and browsers resolve it without DNS (RFC 6761, 6.3).
 * @param host in lower case, without brackets and port
 */
export function isLoopbackHost(host: string): boolean {
  return host === 'localhost' || host.endsWith('.localhost') || isLoopbackAddress(host);
}
