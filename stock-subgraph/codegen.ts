import type { CodegenConfig } from '@graphql-codegen/cli';

const config: CodegenConfig = {
  schema: './schema.graphql',
  generates: {
    'src/generated/graphql.ts': {
      plugins: ['typescript', 'typescript-resolvers'],
      config: {
        federation: true,
        useTypeImports: true,
        enumsAsTypes: true,
        inputMaybeValue: 'T | null | undefined',
        contextType: '../context.ts#Context',
        scalars: { ID: 'string', DateTime: { input: 'never', output: 'Date' } },
        mappers: {
          Stock: '@gudang/events#StockState',
          StockChange: '../stream/stock-stream.ts#ShownChange',
          Movement: '../stocks/ledger.ts#MovementRow',
        },
      },
    },
  },
};

export default config;
