-- customers --
-- First pass: one row per customer. Keys that the file does not have are null.
CREATE TABLE staged AS
SELECT split_part(id, '/', 5) AS customer_id,
  make_timestamp(epoch_us(updatedAt)) AS updated_at,
  make_timestamp(epoch_us(createdAt)) AS added_at,
  -- As personal_names.family_first does: Shopify puts the given name first for everybody.
  regexp_replace(displayName, '^([々〆ヶ\x{3041}-\x{309f}\x{30a0}-\x{30ff}\x{3400}-\x{9fff}\x{ac00}-\x{d7a3}\x{f900}-\x{faff}]+) ([々〆ヶ\x{3041}-\x{309f}\x{30a0}-\x{30ff}\x{3400}-\x{9fff}\x{ac00}-\x{d7a3}\x{f900}-\x{faff}]+)$', '\2 \1') AS display_name,
  defaultEmailAddress.emailAddress AS email,
  defaultPhoneNumber.phoneNumber AS phone,
  locale AS language,
  note,
  state AS account_status,
  defaultEmailAddress.marketingState AS email_subscription_status,
  coalesce(defaultPhoneNumber.smsMarketingConsent.state, defaultPhoneNumber.marketingState)
    AS sms_subscription_status,
  CASE productSubscriberStatus WHEN 'ACTIVE' THEN 'SUBSCRIBED' WHEN 'CANCELLED' THEN 'CANCELED'
    ELSE productSubscriberStatus END AS product_subscription_status,
  statistics.predictedSpendTier AS predicted_spend_tier,
  statistics.rfmGroup AS rfm_group,
  CAST(numberOfOrders AS INTEGER) AS shopify_order_count,
  CAST(round(CAST(amountSpent.amount AS DECIMAL(28, 6)) * $scale, 0) AS BIGINT)
    AS shopify_spent_amount,
  amountSpent.currencyCode AS currency,
  tags,
  list_transform(companyContactProfiles, lambda p: split_part(p.company.id, '/', 5)) AS company_ids
FROM read_json($path, format = 'newline_delimited', maximum_object_size = 67108864, columns = {
  id: 'VARCHAR', __parentId: 'VARCHAR', updatedAt: 'TIMESTAMPTZ', createdAt: 'TIMESTAMPTZ',
  displayName: 'VARCHAR', locale: 'VARCHAR', note: 'VARCHAR', state: 'VARCHAR', tags: 'VARCHAR[]',
  numberOfOrders: 'VARCHAR', amountSpent: 'STRUCT(amount VARCHAR, currencyCode VARCHAR)',
  productSubscriberStatus: 'VARCHAR',
  statistics: 'STRUCT(predictedSpendTier VARCHAR, rfmGroup VARCHAR)',
  defaultEmailAddress: 'STRUCT(emailAddress VARCHAR, marketingState VARCHAR)',
  defaultPhoneNumber:
    'STRUCT(phoneNumber VARCHAR, marketingState VARCHAR, smsMarketingConsent STRUCT(state VARCHAR))',
  companyContactProfiles: 'STRUCT(company STRUCT(id VARCHAR))[]'
})
WHERE __parentId IS NULL AND id IS NOT NULL;

-- customers_children --
-- Second pass: addresses, metafields and store credit, told apart by the kind in their id.
CREATE TABLE staged_children AS
SELECT split_part(__parentId, '/', 5) AS customer_id, split_part(id, '/', 4) AS kind,
  countryCodeV2 AS country_code, provinceCode AS province_code, city, zip, latitude, longitude,
  namespace || '.' || key AS key, type, value,
  CAST(balance.amount AS DECIMAL(18, 4)) AS balance_amount, balance.currencyCode AS currency
FROM read_json($path, format = 'newline_delimited', maximum_object_size = 67108864, columns = {
  id: 'VARCHAR', __parentId: 'VARCHAR', countryCodeV2: 'VARCHAR', provinceCode: 'VARCHAR',
  city: 'VARCHAR', zip: 'VARCHAR', latitude: 'DOUBLE', longitude: 'DOUBLE', namespace: 'VARCHAR',
  key: 'VARCHAR', type: 'VARCHAR', value: 'VARCHAR',
  balance: 'STRUCT(amount VARCHAR, currencyCode VARCHAR)'
})
WHERE __parentId IS NOT NULL;

-- orders --
-- First pass: one row per order, refunds still inside.
CREATE TABLE staged AS
SELECT split_part(id, '/', 5) AS order_id,
  split_part(customer.id, '/', 5) AS customer_id,
  name,
  make_timestamp(epoch_us(processedAt)) AS processed_at,
  make_timestamp(epoch_us(updatedAt)) AS updated_at,
  make_timestamp(epoch_us(cancelledAt)) AS cancelled_at,
  coalesce(test, FALSE) AS is_test,
  CAST(round(CAST(totalPriceSet.shopMoney.amount AS DECIMAL(28, 6)) * $scale, 0) AS BIGINT)
    AS total_amount,
  totalPriceSet.shopMoney.currencyCode AS currency,
  sourceName AS source_name,
  split_part(app.id, '/', 5) AS app_id,
  split_part(retailLocation.id, '/', 5) AS location_id,
  customerJourneySummary.lastVisit.referrerUrl AS referrer,
  customerJourneySummary.lastVisit.utmParameters.source AS utm_source,
  customerJourneySummary.lastVisit.utmParameters.medium AS utm_medium,
  customerJourneySummary.lastVisit.utmParameters.campaign AS utm_campaign,
  tags,
  discountCodes AS discount_codes,
  list_transform(refunds, lambda r: {
    'refund_id': split_part(r.id, '/', 5),
    'refunded_at': make_timestamp(epoch_us(coalesce(r.processedAt, r.createdAt))),
    'amount': CAST(
      round(CAST(r.totalRefundedSet.shopMoney.amount AS DECIMAL(28, 6)) * $scale, 0) AS BIGINT)
  }) AS refunds
FROM read_json($path, format = 'newline_delimited', maximum_object_size = 67108864, columns = {
  id: 'VARCHAR', __parentId: 'VARCHAR', name: 'VARCHAR', test: 'BOOLEAN',
  processedAt: 'TIMESTAMPTZ', updatedAt: 'TIMESTAMPTZ', cancelledAt: 'TIMESTAMPTZ',
  sourceName: 'VARCHAR', tags: 'VARCHAR[]', discountCodes: 'VARCHAR[]',
  app: 'STRUCT(id VARCHAR)', retailLocation: 'STRUCT(id VARCHAR)', customer: 'STRUCT(id VARCHAR)',
  customerJourneySummary: 'STRUCT(lastVisit STRUCT(referrerUrl VARCHAR,
    utmParameters STRUCT(source VARCHAR, medium VARCHAR, campaign VARCHAR)))',
  totalPriceSet: 'STRUCT(shopMoney STRUCT(amount VARCHAR, currencyCode VARCHAR))',
  refunds: 'STRUCT(id VARCHAR, createdAt TIMESTAMPTZ, processedAt TIMESTAMPTZ,
    totalRefundedSet STRUCT(shopMoney STRUCT(amount VARCHAR)))[]'
})
WHERE __parentId IS NULL AND id IS NOT NULL;

-- orders_children --
-- Second pass: the lines.
CREATE TABLE staged_children AS
SELECT split_part(__parentId, '/', 5) AS order_id,
  split_part(product.id, '/', 5) AS product_id, split_part(variant.id, '/', 5) AS variant_id,
  title, vendor, sku, quantity,
  CAST(round(CAST(discountedTotalSet.shopMoney.amount AS DECIMAL(28, 6)) * $scale, 0) AS BIGINT)
    AS amount
FROM read_json($path, format = 'newline_delimited', maximum_object_size = 67108864, columns = {
  __parentId: 'VARCHAR', title: 'VARCHAR', vendor: 'VARCHAR', sku: 'VARCHAR', quantity: 'INTEGER',
  product: 'STRUCT(id VARCHAR)', variant: 'STRUCT(id VARCHAR)',
  discountedTotalSet: 'STRUCT(shopMoney STRUCT(amount VARCHAR))'
})
WHERE __parentId IS NOT NULL;

-- products --
-- First pass: one row per product. A category's id is a path, not a number.
CREATE TABLE staged AS
SELECT split_part(id, '/', 5) AS product_id, title, vendor, productType AS product_type,
  split_part(category.id, '/', 5) AS category_id, category.fullName AS category,
  make_timestamp(epoch_us(updatedAt)) AS updated_at, tags
FROM read_json($path, format = 'newline_delimited', maximum_object_size = 67108864, columns = {
  id: 'VARCHAR', __parentId: 'VARCHAR', title: 'VARCHAR', vendor: 'VARCHAR',
  productType: 'VARCHAR', category: 'STRUCT(id VARCHAR, fullName VARCHAR)',
  updatedAt: 'TIMESTAMPTZ', tags: 'VARCHAR[]'
})
WHERE __parentId IS NULL AND id IS NOT NULL;

-- products_children --
-- Second pass: the collections.
CREATE TABLE staged_children AS
SELECT split_part(__parentId, '/', 5) AS product_id, split_part(id, '/', 5) AS collection_id, title
FROM read_json($path, format = 'newline_delimited', maximum_object_size = 67108864, columns = {
  id: 'VARCHAR', __parentId: 'VARCHAR', title: 'VARCHAR'
})
WHERE __parentId IS NOT NULL AND split_part(id, '/', 4) = 'Collection';

-- texts --
-- Tags and codes that need more than ASCII to be folded.
CREATE TABLE staged_texts AS
SELECT DISTINCT unnest(tags) AS text FROM staged;

-- code_texts --
-- Discount codes among them.
INSERT INTO staged_texts SELECT DISTINCT unnest(discount_codes) FROM staged;

-- unfolded --
-- For ASCII, lower() and Python's casefold() are the same.
SELECT DISTINCT text FROM staged_texts WHERE strlen(text) <> length(text);

-- folds --
-- Those texts with their keys.
CREATE TABLE staged_folds AS SELECT text, key FROM given_folds;

-- other_currency --
-- A currency that is not the shop's.
SELECT currency FROM staged WHERE currency <> ? LIMIT 1;
