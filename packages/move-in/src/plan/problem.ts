/** Something in the legacy system that could not be moved as it is. */
export interface Problem {
  /**
   * - `bad id`: not a UUID (orders), or not 1 to 100 characters (stocks). The row is not moved.
   * - `bad quantity`, `bad name`: outside the limits. A stock is moved with the nearest allowed value, an
   *   order is not moved.
   * - `bad product`: an order whose product id is not 1 to 100 characters. It is not moved.
   * - `bad record`: a record of the topic that is no order. The new stock service dead-letters it.
   * - `unknown product`: no stock has this id. The order is moved.
   * - `repeated record`: the legacy stock service subtracted the order more than once.
   * - `record differs`: the order's row or another record has another product or quantity. The order is
   *   moved as in the record that the legacy stock service consumed first.
   * - `no record`: an order that was not sent, or whose record has expired. See `--unsent`.
   */
  readonly kind:
    | 'bad id'
    | 'bad quantity'
    | 'bad name'
    | 'bad product'
    | 'bad record'
    | 'unknown product'
    | 'repeated record'
    | 'record differs'
    | 'no record';
  /** The row or record: `order 4b2c…`, `stock kopi`, `record 0/17`. */
  readonly subject: string;
  /** The problem and its consequence. */
  readonly message: string;
}
