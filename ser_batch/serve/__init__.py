"""The web application: a small server on this machine, one file a page.

`access`     the link that works once, and the sessions that it opens
`guard`      what every request must satisfy before a page sees it
`app`        the pages and their errors put together
`site`       the pages of `ser-batch serve`
`database`   the published warehouse, until the file is swapped
`sound`      the recordings of a call as one WAV, decoded where it is read
`access_log` who saw, played and labelled which call
`call_list`  what the URL of a list of calls asks for, as SQL
`server`     a socket and uvicorn
`pages/`     the routes of one page each; `templates/` and `static/` what they send
"""
