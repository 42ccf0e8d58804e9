import type { LimitSettings } from './limit-settings.ts';
import type { TextLimits } from './parse-within.ts';

export interface OperationLimits extends TextLimits {
  readonly nesting: number;
  readonly cost: number;
}

export function readOperationLimits(settings: LimitSettings): OperationLimits {
  return {
    tokens: settings.LIMIT_TOKENS,
    depth: settings.LIMIT_DEPTH,
    aliases: settings.LIMIT_ALIASES,
    rootFields: settings.LIMIT_ROOT_FIELDS,
    directives: settings.LIMIT_DIRECTIVES,
    fragments: settings.LIMIT_FRAGMENTS,
    nesting: settings.LIMIT_NESTING,
    cost: settings.LIMIT_COST,
  };
}
