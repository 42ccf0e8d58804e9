import type { Logger } from '@gudang/runtime';
import { PluginError, RequestError } from '../errors/request-error.ts';

/** Time that a hook may take, in milliseconds. */
const HOOK_MS = 5_000;
/** Interval at which failures of the same hook are logged again, in milliseconds. */
const REMINDER_MS = 30_000;

/** Thrown if a hook has not finished in time. */
export class HookTimeoutError extends Error {}

/** Runs the hooks of one plugin: limits their time, and logs their failures. */
export class HookRunner {
  readonly #name: string;
  readonly #log: Logger;
  readonly #ms: number;
  readonly #loggedAt = new Map<string, number>();

  /** @param name names the plugin in the log */
  constructor(name: string, log: Logger, ms = HOOK_MS) {
    this.#name = name;
    this.#log = log;
    this.#ms = ms;
  }

  /** Calls a hook whose failure concerns no request. Does not wait for its promise. */
  notify(hook: string, call: () => unknown): void {
    try {
      const result = call();
      if (isPromise(result)) {
        this.within(hook, result).catch((error: unknown) => this.report(hook, error));
      }
    } catch (error) {
      this.report(hook, error);
    }
  }

  /**
   * Calls a hook that may refuse what it is called for.
   * @throws {RequestError} the plugin's own error if it has `extensions`, otherwise `Internal error`. A
   * promise of the hook rejects in the same way.
   */
  ask(hook: string, call: () => unknown): Promise<void> | undefined {
    try {
      const result = call();
      if (!isPromise(result)) return undefined;
      return this.within(hook, result).then(
        () => {},
        (error: unknown) => Promise.reject(this.#refusal(hook, error)),
      );
    } catch (error) {
      throw this.#refusal(hook, error);
    }
  }

  /** Limits the time of a hook. @throws {HookTimeoutError} by its promise */
  within<T>(hook: string, result: PromiseLike<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        reject(
          new HookTimeoutError(
            `${hook} of the plugin ${this.#name} has not finished within ${this.#ms} ms`,
          ),
        );
      }, this.#ms);
      timer.unref();
      result.then(
        (value) => {
          clearTimeout(timer);
          resolve(value);
        },
        (error: unknown) => {
          clearTimeout(timer);
          reject(error);
        },
      );
    });
  }

  /**
   * Calls a hook that must finish at once, and may refuse what it is called for.
   * @throws {RequestError} as `ask` does, also if the hook returns a promise
   */
  askNow(hook: string, call: () => unknown): void {
    void this.ask(hook, () => {
      const result = call();
      if (!isPromise(result)) return;
      result.then(undefined, () => {});
      throw new Error(`${hook} must not return a promise`);
    });
  }

  /** Logs a failure, at most every 30 s for the same hook. */
  report(hook: string, error: unknown): void {
    const now = Date.now();
    if (now - (this.#loggedAt.get(hook) ?? 0) < REMINDER_MS) return;
    this.#loggedAt.set(hook, now);
    this.#log.error({ plugin: this.#name, hook, err: error }, 'a hook of a plugin failed');
  }

  #refusal(hook: string, error: unknown): RequestError {
    if (isRefusal(error)) return toPluginError(error);
    this.report(hook, error);
    return new RequestError(500, 'Internal error', { code: 'INTERNAL_SERVER_ERROR' });
  }
}

/**
 * An error by which a plugin refuses something. It is recognized by its members, because the plugin may
 * have its own copy of graphql-js, or none.
 */
interface Refusal {
  readonly message: string;
  readonly extensions: Readonly<Record<string, unknown>>;
}

export function isRefusal(error: unknown): error is Refusal {
  const { extensions, message } = Object(error) as Partial<Refusal>;
  return typeof message === 'string' && typeof extensions === 'object' && extensions !== null;
}

/** Returns the error that a client sees. */
export function toPluginError({ message, extensions }: Refusal): PluginError {
  const { http, ...shown } = extensions;
  const { status } = Object(http) as { status?: unknown };
  const isStatus = Number.isInteger(status) && Number(status) >= 400 && Number(status) <= 599;
  return new PluginError(isStatus ? Number(status) : 400, message, shown);
}

export function isPromise(value: unknown): value is PromiseLike<unknown> {
  return typeof (value as { then?: unknown } | null | undefined)?.then === 'function';
}

/**
 * Calls a hook of several plugins one after another.
 * @returns undefined if no plugin has returned a promise
 * @throws {RequestError} as `HookRunner.ask` does
 */
export function askInTurn<P>(
  plugins: readonly { readonly plugin: P; readonly runner: HookRunner }[],
  hook: string,
  call: (plugin: P) => unknown,
): Promise<void> | undefined {
  let waiting: Promise<void> | undefined;
  for (const { plugin, runner } of plugins) {
    const ask = (): Promise<void> | undefined => runner.ask(hook, () => call(plugin));
    waiting = waiting === undefined ? ask() : waiting.then(ask);
  }
  return waiting;
}
