import { readFile } from 'node:fs/promises';
import { Ajv2020, type ErrorObject, type ValidateFunction } from 'ajv/dist/2020.js';
import { withoutGaps } from './published-schema-gaps.ts';
import type { Manifest } from './render.ts';

const read = async (name: string) =>
  JSON.parse(await readFile(new URL(`./schemas/${name}.json`, import.meta.url), 'utf8'));

/** Creates a regular expression from a pattern in a CRD. The pattern's Go syntax allows (?i). */
const regExp = Object.assign(
  (pattern: string, flags: string) =>
    pattern.includes('(?i)')
      ? new RegExp(pattern.replace('(?i)', ''), `${flags}i`)
      : new RegExp(pattern, flags),
  { code: 'unused: ajv compiles no schema to a file' },
);

const create = () =>
  new Ajv2020({ strict: false, allErrors: true, logger: false, code: { regExp } });

/** Formats each validation error as one line. */
function errorLines(errors: readonly ErrorObject[] | null | undefined): string[] {
  return (errors ?? []).map(({ instancePath, message, params }) => {
    return `${instancePath || '/'} ${message} ${JSON.stringify(params)}`;
  });
}

/** Returns a function that checks Kubernetes objects and custom resources against their schemas. */
export async function createManifestValidator(): Promise<(manifest: Manifest) => string[]> {
  const { kinds, $defs } = await read('kubernetes');
  const ajv = create().addSchema({ $id: 'kubernetes', $defs: withoutGaps($defs) });
  const validators = new Map<string, ValidateFunction>();
  for (const [kind, name] of Object.entries(kinds)) {
    validators.set(kind, ajv.compile({ $ref: `kubernetes#/$defs/${name}` }));
  }
  for (const [kind, schema] of Object.entries(await read('custom-resources'))) {
    validators.set(kind, ajv.compile(schema as object));
  }
  return (manifest) => {
    const validate = validators.get(`${manifest.apiVersion}/${manifest.kind}`);
    if (!validate) return [`no schema for ${manifest.apiVersion}/${manifest.kind}`];
    validate(manifest);
    return errorLines(validate.errors);
  };
}

/** Returns a function that checks a compose file against the Compose specification. */
export async function createComposeValidator(): Promise<(file: unknown) => string[]> {
  const validate = create().compile(await read('compose'));
  return (file) => {
    validate(file);
    return errorLines(validate.errors);
  };
}
