"""Licences as corpora spell them: (spelling, SPDX id, may a commercial model be trained on it).

Only the third column decides what is kept: `True` is the verdict `allow`, everything else is
`review`, `deny` or `missing`. Peers get this table as a file to join; Tamis gets nothing and
has to come to the same answers by its own parser and policy.
"""

SPELLINGS = [
    ("MIT", "MIT", True), ("mit", "MIT", True), ("MIT License", "MIT", True),
    ("The MIT License", "MIT", True), ("The MIT License (MIT)", "MIT", True), ("MIT license", "MIT", True),
    ("Apache-2.0", "Apache-2.0", True), ("apache-2.0", "Apache-2.0", True), ("Apache 2.0", "Apache-2.0", True),
    ("Apache License 2.0", "Apache-2.0", True), ("Apache License, Version 2.0", "Apache-2.0", True),
    ("Apache2", "Apache-2.0", True), ("BSD-3-Clause", "BSD-3-Clause", True),
    ("bsd-3-clause", "BSD-3-Clause", True), ("BSD 3-Clause", "BSD-3-Clause", True),
    ("BSD 3-Clause License", "BSD-3-Clause", True), ("BSD-2-Clause", "BSD-2-Clause", True),
    ("BSD 2-Clause", "BSD-2-Clause", True), ("ISC", "ISC", True), ("ISC License", "ISC", True),
    ("CC0-1.0", "CC0-1.0", True), ("cc0-1.0", "CC0-1.0", True), ("CC0 1.0", "CC0-1.0", True),
    ("CC0 1.0 Universal", "CC0-1.0", True), ("CC-BY-4.0", "CC-BY-4.0", True), ("cc-by-4.0", "CC-BY-4.0", True),
    ("CC BY 4.0", "CC-BY-4.0", True), ("CC-BY 4.0", "CC-BY-4.0", True),
    ("Creative Commons Attribution 4.0 International", "CC-BY-4.0", True),
    ("https://creativecommons.org/licenses/by/4.0/", "CC-BY-4.0", True),
    ("http://creativecommons.org/licenses/by/4.0/", "CC-BY-4.0", True), ("CC-BY-3.0", "CC-BY-3.0", True),
    ("CC BY 3.0", "CC-BY-3.0", True), ("Unlicense", "Unlicense", True), ("The Unlicense", "Unlicense", True),
    ("CDLA-Permissive-2.0", "CDLA-Permissive-2.0", True), ("MIT OR Apache-2.0", "MIT OR Apache-2.0", True),
    ("CC-BY-NC-4.0", "CC-BY-NC-4.0", False), ("cc-by-nc-4.0", "CC-BY-NC-4.0", False),
    ("CC BY-NC 4.0", "CC-BY-NC-4.0", False), ("CC-BY-NC-SA-4.0", "CC-BY-NC-SA-4.0", False),
    ("CC BY-NC-SA 4.0", "CC-BY-NC-SA-4.0", False), ("CC BY-NC-SA 3.0", "CC-BY-NC-SA-3.0", False),
    ("CC-BY-NC-ND-4.0", "CC-BY-NC-ND-4.0", False), ("CC BY-NC-ND 4.0", "CC-BY-NC-ND-4.0", False),
    ("https://creativecommons.org/licenses/by-nc/4.0/", "CC-BY-NC-4.0", False),
    ("Creative Commons Attribution-NonCommercial 4.0 International", "CC-BY-NC-4.0", False),
    ("GPL-3.0", "GPL-3.0-only", False), ("GPL-3.0-only", "GPL-3.0-only", False),
    ("GPLv3", "GPL-3.0-only", False), ("GPL-2.0+", "GPL-2.0-or-later", False),
    ("AGPL-3.0", "AGPL-3.0-only", False), ("CC BY-NC", None, False), ("CC BY", None, False),
    ("proprietary", None, False), ("All rights reserved", None, False), ("unknown", None, False),
    ("see website", None, False), ("other", None, False), ("n/a", None, False),
    ("to be determined", None, False), ("free for personal use", None, False),
]

# A row without any licence is left out: where a source has another proof (a contract, a crawl
# record) the policy asks for none, and a join cannot know that.
# Nine rows in ten carry a licence that allows the use.
ALLOWED = [row for row in SPELLINGS if row[2]]
NOT_ALLOWED = [row for row in SPELLINGS if not row[2]]
