  AND customer_no IN (SELECT unnest($customer_nos::UINTEGER[]))
