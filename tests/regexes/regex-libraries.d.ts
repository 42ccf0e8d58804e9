// The parts of the libraries' types that the check uses.

declare module '@eslint-community/regexpp' {
  export namespace AST {
    interface Base {
      readonly parent: Node | null;
      readonly raw: string;
    }
    interface Pattern extends Base {
      readonly type: 'Pattern';
      readonly alternatives: readonly Alternative[];
    }
    interface Alternative extends Base {
      readonly type: 'Alternative';
      readonly elements: readonly Element[];
    }
    interface Quantifier extends Base {
      readonly type: 'Quantifier';
      readonly min: number;
      readonly max: number;
      readonly element: Element;
    }
    interface Group extends Base {
      readonly type: 'Group' | 'CapturingGroup';
      readonly alternatives: readonly Alternative[];
    }
    interface Assertion extends Base {
      readonly type: 'Assertion';
      readonly kind: 'start' | 'end' | 'word' | 'lookahead' | 'lookbehind';
      readonly alternatives?: readonly Alternative[];
    }
    interface Characters extends Base {
      readonly type: 'Character' | 'CharacterClass' | 'CharacterSet' | 'Backreference';
    }
    type Element = Quantifier | Group | Assertion | Characters;
    type Node = Pattern | Alternative | Element;
  }
}

declare module 'regexp-ast-analysis' {
  import type { AST } from '@eslint-community/regexpp';

  export interface ReadonlyFlags {
    readonly multiline: boolean;
    readonly sticky: boolean;
  }
  interface CharacterSet {
    readonly isDisjointWith: (other: CharacterSet) => boolean;
  }
  export function getFirstConsumedChar(
    alternatives: readonly AST.Alternative[],
    direction: 'ltr' | 'rtl',
    flags: ReadonlyFlags,
  ): { readonly char: CharacterSet };
  export function getConsumedChars(
    element: AST.Element,
    flags: ReadonlyFlags,
  ): { readonly chars: CharacterSet };
}

declare module 'scslre' {
  import type { AST } from '@eslint-community/regexpp';
  import type { ReadonlyFlags } from 'regexp-ast-analysis';

  export interface ParsedLiteral {
    readonly pattern: AST.Pattern;
    readonly flags: ReadonlyFlags;
  }
  interface Report {
    readonly type: 'Trade' | 'Self' | 'Move';
    readonly character: { readonly pick: string };
  }
  export function analyse(
    literal: { readonly source: string; readonly flags: string } | ParsedLiteral,
    options?: {
      readonly assumeRejectingSuffix?: boolean;
      readonly reportTypes?: Partial<Record<Report['type'], boolean>>;
    },
  ): { readonly parsed: ParsedLiteral; readonly reports: readonly Report[] };
}
