"""`python -m regulars.simulator`: serve a pretend Shopify."""

from regulars.simulator.serve import main

raise SystemExit(main())
