/** A listener with TLS and SASL. */
export interface SecuredListener {
  port: number;
  /** The certificate chain, in PEM. */
  certificate: string;
  /** The private key of the first certificate: PKCS #8, in PEM. */
  key: string;
  users: readonly SecuredUser[];
}

export interface SecuredUser {
  name: string;
  password: string;
  /** Whether the user is a super user. Other users can only log in. */
  trusted: boolean;
}

/** Returns the listener's entries of server.properties, without its address. */
export function securedProperties(listener: SecuredListener): Record<string, string> {
  const plain = listener.users.map(({ name, password }) => `user_${name}="${password}"`).join(' ');
  const login = 'org.apache.kafka.common.security';
  const scram = `${login}.scram.ScramLoginModule required;`;
  const listenerProperties = {
    'ssl.keystore.type': 'PEM',
    'ssl.keystore.certificate.chain': inOneLine(listener.certificate),
    'ssl.keystore.key': inOneLine(listener.key),
    'sasl.enabled.mechanisms': 'PLAIN,SCRAM-SHA-256,SCRAM-SHA-512',
    'plain.sasl.jaas.config': `${login}.plain.PlainLoginModule required ${plain};`,
    'scram-sha-256.sasl.jaas.config': scram,
    'scram-sha-512.sasl.jaas.config': scram,
  };
  const trusted = listener.users.filter((user) => user.trusted).map(({ name }) => `User:${name}`);
  return {
    ...Object.fromEntries(
      Object.entries(listenerProperties).map(([name, value]) => [
        `listener.name.secured.${name}`,
        value,
      ]),
    ),
    'authorizer.class.name': 'org.apache.kafka.metadata.authorizer.StandardAuthorizer',
    // Clients of the PLAINTEXT listener are anonymous and keep full access.
    'super.users': ['User:ANONYMOUS', ...trusted].join(';'),
  };
}

/** Returns the storage tool's arguments that create the SCRAM users. Kafka stores them as records. */
export function scramArguments({ users }: Pick<SecuredListener, 'users'>): string[] {
  return users.flatMap(({ name, password }) =>
    ['SCRAM-SHA-256', 'SCRAM-SHA-512'].map(
      (mechanism) => `--add-scram=${mechanism}=[name=${name},password=${password}]`,
    ),
  );
}

/**
 * Escapes the line breaks of a PEM text, because a value in a properties file ends at a line break.
 */
function inOneLine(pem: string): string {
  return pem.trim().replaceAll(/\r?\n/g, '\\n');
}
