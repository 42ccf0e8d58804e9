const MAX_RULES = 100;
const MAX_NAME_LENGTH = 100;
const MAX_VALUE_LENGTH = 4_096;

/** A header's name in lower case (RFC 9110, 5.6.2). */
const NAME = /^[!#$%&'*+.^_`|~0-9a-z-]+$/;

export function isHeaderName(name: string): boolean {
  return NAME.test(name) && name.length <= MAX_NAME_LENGTH;
}

/** A header's value in ASCII, without white space at its ends (RFC 9110, 5.5). */
export const HEADER_VALUE = /^(?:[\x21-\x7e](?:[\t\x20-\x7e]*[\x21-\x7e])?)?$/;

/** Returns why a rule must not name a header; undefined if it may. */
type Refusal = (name: string) => string | undefined;

/** Reads the members of a JSON object, and collects every problem. */
export class RuleReader {
  readonly #where: string;
  readonly #members: Readonly<Record<string, unknown>>;
  readonly #problems: string[];
  readonly #read = new Set<string>();

  /** @param where names the object in problems, such as `toSubgraphs[0]` */
  constructor(where: string, value: unknown, problems: string[]) {
    this.#where = where;
    this.#problems = problems;
    const isObject = typeof value === 'object' && value !== null && !Array.isArray(value);
    this.#members = isObject ? (value as Record<string, unknown>) : {};
    if (!isObject) this.#report('must be a JSON object');
  }

  has(name: string): boolean {
    return Object.hasOwn(this.#members, name);
  }

  /** Reads an optional list of objects. */
  list(name: string): RuleReader[] {
    const given = this.#take(name) ?? [];
    if (!Array.isArray(given) || given.length > MAX_RULES) {
      this.#report(`${name} must be a list of at most ${MAX_RULES} rules`);
      return [];
    }
    return given.map((value, index) => new RuleReader(`${name}[${index}]`, value, this.#problems));
  }

  /** Reads the name of a header, in lower case. */
  header(member: string, refusal: Refusal): string {
    const given = this.#take(member);
    const name = typeof given === 'string' ? given.toLowerCase() : '';
    if (!isHeaderName(name)) {
      this.#report(
        `${member} must be the name of a header, with at most ${MAX_NAME_LENGTH} characters`,
      );
      return name;
    }
    const why = refusal(name);
    if (why !== undefined) this.#report(`${member} must not be ${name}: ${why}`);
    return name;
  }

  /** Reads the value of a header. The value is not part of a problem, because it may be a secret. */
  value(member: string): string {
    const given = this.#take(member);
    if (typeof given === 'string' && given.length <= MAX_VALUE_LENGTH && HEADER_VALUE.test(given)) {
      return given;
    }
    const limit = MAX_VALUE_LENGTH.toLocaleString('en');
    this.#report(
      `${member} must be a string of at most ${limit} ASCII characters, without line breaks, and without spaces at its ends`,
    );
    return '';
  }

  flag(member: string, otherwise: boolean): boolean {
    const given = this.#take(member) ?? otherwise;
    if (typeof given === 'boolean') return given;
    this.#report(`${member} must be true or false`);
    return otherwise;
  }

  /** Reads one of several words. Default: the first. */
  choice<const T extends string>(member: string, [first, ...others]: readonly [T, ...T[]]): T {
    const given = this.#take(member) ?? first;
    const chosen = [first, ...others].find((one) => one === given);
    if (chosen !== undefined) return chosen;
    this.#report(`${member} must be one of ${[first, ...others].join(', ')}`);
    return first;
  }

  /** Reads the optional member `subgraphs`, in lower case. */
  subgraphs(): readonly string[] | undefined {
    const given = this.#take('subgraphs');
    if (given === undefined) return undefined;
    if (Array.isArray(given) && given.length > 0 && given.every((one) => typeof one === 'string')) {
      return given.map((name) => name.toLowerCase());
    }
    this.#report('subgraphs must be a list of names, or absent for all subgraphs');
    return [];
  }

  /** Reports the members that were not read. */
  end(): void {
    const unknown = Object.keys(this.#members).filter((name) => !this.#read.has(name));
    const known = [...this.#read].join(', ');
    for (const name of unknown) this.#report(`${name} is unknown here; allowed are ${known}`);
  }

  #take(name: string): unknown {
    this.#read.add(name);
    return this.has(name) ? this.#members[name] : undefined;
  }

  #report(problem: string): void {
    this.#problems.push(`${this.#where}: ${problem}`);
  }
}
