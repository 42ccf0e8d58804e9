import { generate } from 'selfsigned';

const KEY_OPTIONS = { keyType: 'rsa', keySize: 2048, algorithm: 'sha256' } as const;

/** Creates a certificate authority for tests. @returns its certificate and private key as PEM */
export function createAuthority(name: string) {
  return generate([{ name: 'commonName', value: `${name} test authority` }], {
    ...KEY_OPTIONS,
    extensions: [
      { name: 'basicConstraints', cA: true, critical: true },
      { name: 'keyUsage', keyCertSign: true, cRLSign: true, critical: true },
    ],
  });
}

/** Creates the certificate of a server at 127.0.0.1. @returns certificate and private key as PEM */
export function createCertificate(authority: { readonly cert: string; readonly private: string }) {
  return generate([{ name: 'commonName', value: 'Gudang test server' }], {
    ...KEY_OPTIONS,
    ca: { key: authority.private, cert: authority.cert },
    extensions: [
      { name: 'basicConstraints', cA: false },
      { name: 'keyUsage', digitalSignature: true, keyEncipherment: true },
      { name: 'extKeyUsage', serverAuth: true },
      { name: 'subjectAltName', altNames: [{ type: 7, ip: '127.0.0.1' }] },
    ],
  });
}
