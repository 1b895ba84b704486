create table shop.customers (id integer primary key, name text not null);
create table shop.orders (
  order_no text primary key,
  customer integer references shop.customers,
  amount   numeric(12, 2),
  -- Not the projection's.
  billed   boolean not null default false
);
