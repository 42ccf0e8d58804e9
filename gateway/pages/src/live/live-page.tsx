import { useCallback, useState } from 'react';
import { Announcer } from './announcer.tsx';
import { ConnectionNotice, StatusStrip } from './connection/status-strip.tsx';
import { AddForm } from './forms/add-form.tsx';
import { AdjustForm } from './forms/adjust-form.tsx';
import { OrderForm } from './forms/order-form.tsx';
import { OrderList } from './orders/order-list.tsx';
import { SignInForm } from './sign-in-form.tsx';
import { StockList } from './stocks/stock-list.tsx';

/** The live page: stocks, orders and forms. */
export function LivePage() {
  const [productId, setProductId] = useState('');
  const choose = useCallback((id: string) => setProductId(id), []);
  return (
    <>
      <h1 className="unseen">Live warehouse</h1>
      <ConnectionNotice />
      <SignInForm />
      <StatusStrip />
      <div className="columns">
        <StockList chosen={productId} onChoose={choose} />
        <section className="act sheet" aria-label="Order and change stock">
          <OrderForm productId={productId} onProduct={setProductId} />
          <details name="stock-forms">
            <summary>Adjust a stock</summary>
            <AdjustForm productId={productId} onProduct={setProductId} />
          </details>
          <details name="stock-forms">
            <summary>Add a stock</summary>
            <AddForm onAdded={setProductId} />
          </details>
        </section>
        <OrderList />
      </div>
      <Announcer />
    </>
  );
}
