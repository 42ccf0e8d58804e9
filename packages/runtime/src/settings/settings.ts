import { accessSync, constants, readFileSync } from 'node:fs';
import * as z from 'zod';

/** A setting, which is read from one environment variable. */
export interface Setting<T = unknown> {
  /** A description in plain English, on one line, with the unit. */
  readonly description: string;
  /** Parses the text of the variable. The error message states the allowed values. */
  readonly parse: z.ZodType<T, string>;
  /**
   * The text that is used if the variable is unset or empty. A setting without a default is either
   * required or optional.
   */
  readonly default?: string;
  /** Whether the setting may be unset although it has no default. Its value is then undefined. */
  readonly optional?: boolean;
  /** Whether the value is never printed. */
  readonly secret?: boolean;
  /** Returns a value as it may be printed, if only a part of it is secret, such as a password in a URL. */
  readonly printed?: (text: string) => string;
  /** An example. It is shown in the documentation, and in the message if a required setting is missing. */
  readonly example?: string;
  /**
   * Returns the problem of this setting in combination with other valid settings; undefined if there is
   * no problem.
   */
  readonly check?: (values: Readonly<Record<string, unknown>>) => string | undefined;
}

export type SettingsTable = Readonly<Record<string, Setting>>;

type Value<S extends Setting> =
  S extends Setting<infer T> ? (S['optional'] extends true ? T | undefined : T) : never;

/** The values of a settings table, by the name of the environment variable. */
export type SettingsOf<T extends SettingsTable> = { readonly [K in keyof T]: Value<T[K]> };

/** An error with all problems of an environment, each as one readable line. */
export class SettingsError extends Error {
  readonly problems: readonly string[];

  constructor(problems: readonly string[]) {
    super(problems.join('\n'));
    this.name = 'SettingsError';
    this.problems = problems;
  }
}

function problemOf(name: string, setting: Setting, text: string, allowed: string): string {
  const printed = setting.printed?.(text) ?? text;
  const shown = setting.secret ? 'the value given' : JSON.stringify(printed);
  return `${name}: ${shown} is not allowed; ${allowed}`;
}

/**
 * Reads all settings of a table from the environment.
 * @throws {SettingsError} with every invalid or missing setting
 */
export function readSettings<T extends SettingsTable>(
  table: T,
  environment: Readonly<Record<string, string | undefined>>,
): SettingsOf<T> {
  const problems: string[] = [];
  const values: Record<string, unknown> = {};
  for (const [name, setting] of Object.entries(table)) {
    const text = environment[name]?.trim() || setting.default;
    if (text === undefined) {
      if (!setting.optional) {
        const example = setting.example ? `, for example ${setting.example}` : '';
        problems.push(`${name} is missing: ${setting.description}${example}`);
      }
      continue;
    }
    const parsed = setting.parse.safeParse(text);
    if (parsed.success) values[name] = parsed.data;
    else problems.push(problemOf(name, setting, text, parsed.error.issues[0]?.message ?? ''));
  }
  for (const [name, { check }] of Object.entries(table)) {
    const problem = values[name] === undefined ? undefined : check?.(values);
    if (problem !== undefined) problems.push(`${name}: ${problem}`);
  }
  if (problems.length > 0) throw new SettingsError(problems);
  return values as SettingsOf<T>;
}

/** A whole number from `min` to `max`, inclusive. */
export function integer(min: number, max: number): z.ZodType<number, string> {
  const allowed = `a whole number from ${min} to ${max}`;
  return z
    .string()
    .regex(/^-?\d+$/, allowed)
    .transform(Number)
    .refine((n) => Number.isSafeInteger(n) && n >= min && n <= max, allowed);
}

/** A TCP port. If it is 0, the operating system chooses a free port. */
export const port = integer(0, 65_535);

export const flag: z.ZodType<boolean, string> = z
  .enum(['true', 'false'], 'true or false')
  .transform((text) => text === 'true');

export function choice<const T extends readonly [string, ...string[]]>(
  ...options: T
): z.ZodType<T[number], string> {
  return z
    .string()
    .refine((text) => options.includes(text), `one of ${options.join(', ')}`)
    .transform((text) => text as T[number]);
}

/** Parses the path of a PEM file. The setting's value is the content of this file. */
export const pemFile: z.ZodType<string, string> = z.string().transform((path, context) => {
  try {
    const pem = readFileSync(path, 'utf8');
    if (pem.includes('-----BEGIN CERTIFICATE-----')) return pem;
  } catch {
    // An unreadable file is reported below, like a file without a certificate.
  }
  context.addIssue('the path of a readable file with certificates in PEM');
  return z.NEVER;
});

export const text: z.ZodType<string, string> = z.string();

/** A comma-separated list. Items are trimmed; empty items are dropped. */
export const list: z.ZodType<string[], string> = z
  .string()
  .transform((all) => all.split(',').map((part) => part.trim()))
  .transform((parts) => parts.filter((part) => part !== ''));

function isAddress(part: string): boolean {
  const match = /^(?:[^\s:]+|\[.+\]):(\d{1,5})$/.exec(part);
  return match !== null && Number(match[1]) >= 1 && Number(match[1]) <= 65_535;
}

/** One or more addresses in the form `host:port`, separated by commas. */
export const addresses: z.ZodType<string[], string> = list.refine(
  (parts) => parts.length > 0 && parts.every(isAddress),
  'a list of host:port, separated by commas',
);

/** A URL with one of the given schemes. */
export function url(...schemes: string[]): z.ZodType<string, string> {
  return z
    .string()
    .refine(
      (candidate) =>
        URL.canParse(candidate) && schemes.includes(new URL(candidate).protocol.slice(0, -1)),
      `a URL that starts with ${schemes.map((scheme) => `${scheme}://`).join(' or ')}`,
    );
}

/**
 * URL parameters that name a file. pg reads these files at each connection, so a missing file would look
 * like an unavailable database.
 */
const CERTIFICATE_FILES = ['sslrootcert', 'sslcert', 'sslkey'];

export const postgresUrl = url('postgresql', 'postgres').superRefine((address, context) => {
  if (!URL.canParse(address)) return;
  const { searchParams } = new URL(address);
  for (const parameter of CERTIFICATE_FILES) {
    try {
      const path = searchParams.get(parameter);
      if (path) accessSync(path, constants.R_OK);
    } catch {
      context.addIssue(`its ${parameter} must name a readable file`);
    }
  }
});
