import {
  databaseSettings,
  httpSettings,
  identitySettings,
  kafkaSettings,
  postgresUrl,
} from '@gudang/service/settings';

export const settingsTable = {
  ...httpSettings(8001),
  STOCK_DATABASE_URL: {
    description: 'The PostgreSQL database of the stocks',
    parse: postgresUrl,
    secret: true,
    example: 'postgresql://user:password@127.0.0.1:5432/stock_db',
  },
  ...identitySettings,
  ...databaseSettings,
  ...kafkaSettings,
} as const;
