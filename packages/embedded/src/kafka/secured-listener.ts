/** A listener that talks TLS and has clients log in by SASL. */
export interface SecuredListener {
  port: number;
  /** The chain that it shows and the key of its first certificate (PKCS #8), in PEM. */
  certificate: string;
  key: string;
  users: readonly SecuredUser[];
}

export interface SecuredUser {
  name: string;
  password: string;
  /** May do everything; others only log in. */
  trusted: boolean;
}

/** What server.properties says of it, beside its address. */
export function securedProperties(listener: SecuredListener): Record<string, string> {
  const plain = listener.users.map(({ name, password }) => `user_${name}="${password}"`).join(' ');
  const login = 'org.apache.kafka.common.security';
  const scram = `${login}.scram.ScramLoginModule required;`;
  const ofListener = {
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
      Object.entries(ofListener).map(([name, value]) => [`listener.name.secured.${name}`, value]),
    ),
    'authorizer.class.name': 'org.apache.kafka.metadata.authorizer.StandardAuthorizer',
    // Whoever comes by the usual listener may do as ever.
    'super.users': ['User:ANONYMOUS', ...trusted].join(';'),
  };
}

/** Kafka keeps SCRAM's users among its records: they are there from its first start on. */
export function scramArguments({ users }: Pick<SecuredListener, 'users'>): string[] {
  return users.flatMap(({ name, password }) =>
    ['SCRAM-SHA-256', 'SCRAM-SHA-512'].map(
      (mechanism) => `--add-scram=${mechanism}=[name=${name},password=${password}]`,
    ),
  );
}

/** A properties file ends a value at its line's end; `\n` stands for one. */
function inOneLine(pem: string): string {
  return pem.trim().replaceAll(/\r?\n/g, '\\n');
}
