"""What to do first, by intent; docs/runbooks/ says more. Under 100 characters each: they are read on a telephone."""

FIRST_STEPS: dict[str, tuple[str, ...]] = {
    "": (
        "Read the examples: one cause, or many?",
        "Look what changed in the hour before: release, campaign, price, outage.",
        "Tell support what is known, so that they answer alike.",
    ),
    "delivery": (
        "Check the carriers' status pages and the warehouse's dispatch queue.",
        "One region or one carrier? See which names stand out.",
        "If parcels are late for many: put a notice on order tracking, brief support.",
    ),
    "product_fault": (
        "Which product or batch? See which names stand out.",
        "Someone may be hurt (fire, shock, illness): call product safety now.",
        "Stop the sale of that batch until quality has looked.",
    ),
    "wrong_item": (
        "Find the warehouse and shift that packed the named products.",
        "Check for a mix-up of SKUs after the last catalogue or label change.",
        "Hold outgoing parcels of the product until the picking is right.",
    ),
    "return_refund": (
        "Check the refund job and the payment provider's payouts.",
        "Are returns scanned in? Look at the returns warehouse's backlog.",
        "If refunds are stuck: tell support a date, and finance.",
    ),
    "billing": (
        "Check the last billing run: charged twice, wrong fee, wrong tax?",
        "Stop the next run until that is known.",
        "If customers were overcharged: call finance, prepare refunds.",
    ),
    "payment": (
        "Check the payment provider's status page and the decline rate by method.",
        "Look at the last release of checkout; roll back if it fits the start.",
        "Offer another method in checkout while one is down.",
    ),
    "order_change": (
        "Try to change and to cancel an order yourself.",
        "Check the order service and its link to the warehouse.",
        "Let support cancel by hand before parcels leave.",
    ),
    "account_access": (
        "Try to sign in and to reset a password yourself.",
        "Check sign-in errors, the sender of codes (SMS, e-mail) and the identity provider.",
        "Many failed attempts from few addresses: it may be an attack, call security.",
    ),
    "fraud_security": (
        "Call security on duty now; don't wait for certainty.",
        "Phishing, taken-over accounts or stolen cards? Read the examples.",
        "Keep logs; post nothing in public before security agrees.",
    ),
    "technical_issue": (
        "Check service dashboards and errors since the start of the spike.",
        "Did a release or a flag go out shortly before? Roll it back.",
        "Open an incident and update the status page.",
    ),
    "staff_service": (
        "One shop, team or person? See which names stand out.",
        "Check waiting times and staffing of support today.",
        "Tell the manager on duty; answer public posts with care.",
    ),
    "price_promotion": (
        "Check the running campaign: code, end date, conditions, price tags.",
        "Wrong price live? Take it down, then decide on orders already made.",
        "Give support one sentence on what is honoured.",
    ),
    "product_question": (
        "What is asked? See which words stand out.",
        "Correct the product page or the help article it comes from.",
        "Give support the answer.",
    ),
}
