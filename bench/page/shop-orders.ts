/** What the shop of the bench is told to do from now on. */
export interface ShopOrders {
  /** Changes a second. */
  readonly perSecond: number;
  /** How many stocks they are spread over: the first ones. */
  readonly among: number;
}
