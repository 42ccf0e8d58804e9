import { readFileSync } from 'node:fs';

/** The subgraph's schema, as it is in `schema.graphql`. */
export const sdl = readFileSync(new URL('../schema.graphql', import.meta.url), 'utf8');
