-- The warehouse of one shop. Instants are UTC without zone, money is whole minor units of the shop's
-- currency, ids are Shopify's numbers as text (or the ids of an imported file). No keys: `apply` keeps one
-- row per id. Indexes only where an arriving order looks for one customer among all (sql/indexes.sql).

-- Small facts about the file itself: schema_version, currency, loaded_at, complete_from ...
CREATE TABLE meta (name VARCHAR NOT NULL, value VARCHAR);

-- One row per customer. customer_no is dense, given once and never reused: sets are bitmaps over it.
-- deleted_at is set when the customer is deleted, merged away or redacted: no longer in the universe.
CREATE TABLE customers (
  customer_no UINTEGER NOT NULL,
  customer_id VARCHAR NOT NULL,
  display_name VARCHAR,
  email VARCHAR,
  email_domain VARCHAR,
  phone VARCHAR,
  language VARCHAR,
  note VARCHAR,
  account_status VARCHAR,
  email_subscription_status VARCHAR,
  sms_subscription_status VARCHAR,
  product_subscription_status VARCHAR,
  predicted_spend_tier VARCHAR,
  rfm_group VARCHAR,
  added_at TIMESTAMP,
  abandoned_checkout_at TIMESTAMP,
  profile_updated_at TIMESTAMP,
  tags_updated_at TIMESTAMP,
  consent_updated_at TIMESTAMP,
  -- Orders that Shopify counts and we may not read: Shopify's figure less ours at the last full load.
  unseen_order_count INTEGER NOT NULL DEFAULT 0,
  unseen_spent_amount BIGINT NOT NULL DEFAULT 0,
  -- Kept sums over this customer's counted orders as they stand now; never read for a past instant.
  order_count INTEGER NOT NULL DEFAULT 0,
  spent_amount BIGINT NOT NULL DEFAULT 0,
  first_order_at TIMESTAMP,
  last_order_at TIMESTAMP,
  merged_into_no UINTEGER,
  deleted_at TIMESTAMP,
  -- Shopify's own lifetime figures as last told; what our rows lack of them is unseen_*.
  shopify_order_count INTEGER,
  shopify_spent_amount BIGINT,
  -- Nothing told at or before erased_at counts any more; nothing ever does once is_erased_forever
  -- (redacted, or merged into another).
  erased_at TIMESTAMP,
  is_erased_forever BOOLEAN NOT NULL DEFAULT FALSE
);

-- When each field of a customer was last told, so that a late older fact changes only what nothing
-- newer has told. No row: everything was told at once, at the instants kept in `customers`.
CREATE TABLE customer_versions (
  customer_no UINTEGER NOT NULL,
  display_name TIMESTAMP, email TIMESTAMP, phone TIMESTAMP, language TIMESTAMP, note TIMESTAMP,
  account_status TIMESTAMP, email_subscription_status TIMESTAMP, sms_subscription_status TIMESTAMP,
  product_subscription_status TIMESTAMP, predicted_spend_tier TIMESTAMP, rfm_group TIMESTAMP,
  added_at TIMESTAMP, shopify_order_count TIMESTAMP, shopify_spent_amount TIMESTAMP, tags TIMESTAMP,
  addresses TIMESTAMP, company_ids TIMESTAMP, metafields TIMESTAMP, store_credit TIMESTAMP
);

CREATE TABLE customer_tags (customer_no UINTEGER NOT NULL, tag VARCHAR NOT NULL, tag_key VARCHAR NOT NULL);
-- Single tags told as given or taken after the whole set was last told.
CREATE TABLE customer_tag_marks (
  customer_no UINTEGER NOT NULL, tag VARCHAR NOT NULL, tag_key VARCHAR NOT NULL, is_given BOOLEAN NOT NULL,
  told_at TIMESTAMP NOT NULL
);
-- city_key is Shopify's form: 'US-NY-NewYorkCity'; region_code is ISO 3166-2: 'US-NY'; country_code ISO 3166-1.
CREATE TABLE addresses (
  customer_no UINTEGER NOT NULL, country_code VARCHAR, region_code VARCHAR, city_key VARCHAR, zip VARCHAR,
  latitude DOUBLE, longitude DOUBLE
);
CREATE TABLE customer_companies (customer_no UINTEGER NOT NULL, company_id VARCHAR NOT NULL);
-- `key` is 'namespace.key'; `value` is Shopify's text as given (lists are JSON).
CREATE TABLE metafields (customer_no UINTEGER NOT NULL, key VARCHAR NOT NULL, type VARCHAR NOT NULL, value VARCHAR NOT NULL);
CREATE TABLE store_credit_accounts (
  customer_no UINTEGER NOT NULL, balance_amount DECIMAL(18, 4) NOT NULL, currency VARCHAR NOT NULL,
  next_expiry_at TIMESTAMP, last_credit_at TIMESTAMP
);

-- One row per order that exists; deleted orders are taken out. Counted = not test, not cancelled.
-- total_amount: with tax and shipping, after discounts, before refunds. refunded_amount: sum of its refunds.
CREATE TABLE orders (
  order_id VARCHAR NOT NULL USING COMPRESSION uncompressed,
  customer_no UINTEGER,
  name VARCHAR,
  processed_at TIMESTAMP NOT NULL,
  updated_at TIMESTAMP,
  cancelled_at TIMESTAMP,
  is_test BOOLEAN NOT NULL DEFAULT FALSE,
  total_amount BIGINT NOT NULL,
  refunded_amount BIGINT NOT NULL DEFAULT 0,
  source_name VARCHAR,
  app_id VARCHAR,
  location_id VARCHAR,
  referrer VARCHAR,
  utm_source VARCHAR,
  utm_medium VARCHAR,
  utm_campaign VARCHAR
);
CREATE TABLE order_tags (order_id VARCHAR NOT NULL, tag VARCHAR NOT NULL, tag_key VARCHAR NOT NULL);
CREATE TABLE order_discount_codes (order_id VARCHAR NOT NULL, code VARCHAR NOT NULL, code_key VARCHAR NOT NULL);
-- customer_no and processed_at repeat the order's, so that product rules read one table. order_id is not
-- compressed: it took two thirds of the time to read the lines of a few customers.
CREATE TABLE lines (
  order_id VARCHAR NOT NULL USING COMPRESSION uncompressed,
  customer_no UINTEGER,
  processed_at TIMESTAMP NOT NULL,
  product_id VARCHAR,
  variant_id VARCHAR,
  title VARCHAR,
  vendor VARCHAR,
  sku VARCHAR,
  quantity INTEGER NOT NULL,
  amount BIGINT NOT NULL
);
-- A refund may be told before its order. Once told it stays, as in Shopify.
CREATE TABLE refunds (
  refund_id VARCHAR NOT NULL, order_id VARCHAR NOT NULL, refunded_at TIMESTAMP NOT NULL, amount BIGINT NOT NULL,
  told_at TIMESTAMP NOT NULL
);

CREATE TABLE products (
  product_id VARCHAR NOT NULL, title VARCHAR, vendor VARCHAR, product_type VARCHAR,
  category_id VARCHAR, category VARCHAR, updated_at TIMESTAMP, collections_at TIMESTAMP
);
CREATE TABLE product_tags (product_id VARCHAR NOT NULL, tag VARCHAR NOT NULL, tag_key VARCHAR NOT NULL);
CREATE TABLE product_collections (product_id VARCHAR NOT NULL, collection_id VARCHAR NOT NULL, title VARCHAR);

-- Orders and products that were deleted, so that a late older fact does not bring them back.
CREATE TABLE tombstones (kind VARCHAR NOT NULL, id VARCHAR NOT NULL, deleted_at TIMESTAMP NOT NULL);

-- Append-only. A membership interval [joined, left) is two rows of one customer and segment.
CREATE TABLE membership_log (
  segment_id BIGINT NOT NULL, customer_no UINTEGER NOT NULL, happened_at TIMESTAMP NOT NULL,
  joined BOOLEAN NOT NULL, cause VARCHAR NOT NULL, version INTEGER NOT NULL
);

-- The rows of uploaded lists. customer_no: whom a row stands for; then its keys are forgotten. While
-- nobody, or more than one customer, fits, the keys wait. Keys are as segments/uploads/keys.py
-- writes them. A row that an upload took out stays marked until the next upload, for undoing.
CREATE TABLE list_rows (
  list_id BIGINT NOT NULL, customer_no UINTEGER,
  id_key VARCHAR, email_key VARCHAR, phone_key VARCHAR,
  added_by BIGINT NOT NULL, removed_by BIGINT
);

-- Append-only: who came onto a list and who went, after the upload that made it.
CREATE TABLE list_log (
  list_id BIGINT NOT NULL, customer_no UINTEGER NOT NULL, happened_at TIMESTAMP NOT NULL, joined BOOLEAN NOT NULL
);

-- The checked rows of uploads that are not applied yet, one per row of the file. outcome: matched,
-- duplicate, not_found, ambiguous, invalid; `reason` says why it is invalid, `shown` is what stood there.
CREATE TABLE upload_rows (
  upload_id BIGINT NOT NULL, line UBIGINT NOT NULL, outcome VARCHAR NOT NULL, customer_no UINTEGER,
  id_key VARCHAR, email_key VARCHAR, phone_key VARCHAR, reason VARCHAR, shown VARCHAR
);

-- What a segment was like at the end of a shop day: sums, from which every mean follows. is_recorded: by
-- the membership log of that day, else worked out later by the rule of `version`. is_past_known: no
-- condition of the rule looks at something whose past was not kept. mean_sum: the customers' own mean
-- orders added up. gap_*: times between two orders of one customer. day_*: orders of the day by members.
CREATE TABLE segment_days (
  segment_id BIGINT NOT NULL, shop_day DATE NOT NULL, version INTEGER NOT NULL, is_recorded BOOLEAN NOT NULL,
  is_past_known BOOLEAN NOT NULL, customer_count UINTEGER NOT NULL, buyer_count UINTEGER NOT NULL,
  repeat_count UINTEGER NOT NULL, order_count BIGINT NOT NULL, spent_amount BIGINT NOT NULL, mean_sum DOUBLE NOT NULL,
  gap_count BIGINT NOT NULL, gap_seconds DOUBLE NOT NULL, day_order_count BIGINT NOT NULL, day_amount BIGINT NOT NULL
);

-- Deliveries whose effect is in this file, so that applying again changes nothing.
CREATE TABLE applied_events (event_key VARCHAR NOT NULL, applied_at TIMESTAMP NOT NULL);

-- Membership as half-open intervals [joined_at, left_at), open while left_at is null.
CREATE VIEW membership_intervals AS
SELECT segment_id, customer_no, joined_at, left_at, joined_cause, left_cause
FROM (
  SELECT segment_id, customer_no, joined, happened_at AS joined_at, cause AS joined_cause,
    lead(happened_at) OVER later AS left_at, lead(cause) OVER later AS left_cause
  FROM membership_log
  WINDOW later AS (PARTITION BY segment_id, customer_no ORDER BY rowid)
)
WHERE joined;
