//! Licences found in documents, and documents that only speak of licences.

use std::collections::BTreeMap;

use tamis_license::{license_conflicts, license_detect, license_id};

fn detect(text: &str) -> Option<(String, f64)> {
    license_detect(text).map(|found| (found.spdx, found.confidence))
}

fn spdx(text: &str) -> Option<String> {
    detect(text).map(|(spdx, _)| spdx)
}

fn text_of(id: &str) -> &'static str {
    spdx::license_id(id).expect("an id").text()
}

/// About `bytes` of code that says nothing of licences.
fn code(bytes: usize) -> String {
    let mut code = String::new();
    let mut line = 0_usize;
    while code.len() < bytes {
        line += 1;
        code.push_str(&format!(
            "fn step_{line}(input: u64) -> u64 {{\n    // adds {line} and shifts the rest\n    \
             (input + {line}) >> {}\n}}\n",
            line % 13
        ));
    }
    code
}

/// Every line of `text` behind `mark`, as a comment.
fn commented(text: &str, mark: &str) -> String {
    text.lines()
        .map(|line| format!("{mark} {line}\n"))
        .collect()
}

const GPL_HEADER: &str = "This program is free software: you can redistribute it and/or modify
it under the terms of the GNU General Public License as published by
the Free Software Foundation, either version 3 of the License, or
(at your option) any later version.

This program is distributed in the hope that it will be useful,
but WITHOUT ANY WARRANTY; without even the implied warranty of
MERCHANTABILITY or FITNESS FOR A PARTICULAR PURPOSE.  See the
GNU General Public License for more details.";

const APACHE_HEADER: &str = "Licensed under the Apache License, Version 2.0 (the \"License\");
you may not use this file except in compliance with the License.
You may obtain a copy of the License at

    http://www.apache.org/licenses/LICENSE-2.0";

#[test]
fn headers_and_statements() {
    for (text, expected) in [
        (GPL_HEADER, "GPL-3.0-or-later"),
        (APACHE_HEADER, "Apache-2.0"),
        (
            "This program is free software; you can redistribute it and/or modify it under the \
             terms of the GNU General Public License version 2 as published by the Free Software \
             Foundation.",
            "GPL-2.0-only",
        ),
        (
            "This library is free software; you can redistribute it and/or modify it under the \
             terms of the GNU Lesser General Public License as published by the Free Software \
             Foundation; either version 2.1 of the License, or (at your option) any later version.",
            "LGPL-2.1-or-later",
        ),
        (
            "This library is free software; you can redistribute it and/or\nmodify it under the \
             terms of the GNU Library General Public\nLicense as published by the Free Software \
             Foundation; either\nversion 2 of the License, or (at your option) any later version.",
            "LGPL-2.0-or-later",
        ),
        (
            "This program is free software: you can redistribute it and/or modify it under the \
             terms of the GNU Affero General Public License as published by the Free Software \
             Foundation, either version 3 of the License, or (at your option) any later version.",
            "AGPL-3.0-or-later",
        ),
        (
            "This program is free software; you can redistribute it and/or modify it under the \
             terms of version 2 of the GNU General Public License as published by the Free \
             Software Foundation.",
            "GPL-2.0-only",
        ),
        (
            "This file is licensed under the terms of the GNU General Public License version 2. \
             This program is licensed \"as is\" without any warranty of any kind.",
            "GPL-2.0-only",
        ),
        (
            "Permission is granted to copy, distribute and/or modify this document under the \
             terms of the GNU Free Documentation License, Version 1.3 or any later version \
             published by the Free Software Foundation; with no Invariant Sections.",
            "GFDL-1.3-or-later",
        ),
        (
            "This Source Code Form is subject to the terms of the Mozilla Public\nLicense, v. 2.0. \
             If a copy of the MPL was not distributed with this\nfile, You can obtain one at \
             https://mozilla.org/MPL/2.0/.",
            "MPL-2.0",
        ),
        (
            "The contents of this file are subject to the Mozilla Public License Version 1.1 (the \
             \"License\"); you may not use this file except in compliance with the License.",
            "MPL-1.1",
        ),
        (
            "The contents of this file are subject to the Mozilla Public License Version\n1.1 (the \
             \"License\"); you may not use this file except in compliance with\nthe License.\n\n\
             Alternatively, the contents of this file may be used under the terms of\neither the \
             GNU General Public License Version 2 or later (the \"GPL\"), or\nthe GNU Lesser \
             General Public License Version 2.1 or later (the \"LGPL\"),\nin which case the \
             provisions of the GPL or the LGPL are applicable instead.",
            "MPL-1.1 OR GPL-2.0-or-later OR LGPL-2.1-or-later",
        ),
        (
            "This program and the accompanying materials are made available under the terms of \
             the Eclipse Public License 2.0 which is available at https://www.eclipse.org/legal/",
            "EPL-2.0",
        ),
        (
            "All rights reserved. This program and the accompanying materials\nare made available \
             under the terms of the Eclipse Public License v1.0\nwhich accompanies this \
             distribution",
            "EPL-1.0",
        ),
        (
            "Distributed under the Boost Software License, Version 1.0.\n   (See accompanying file \
             LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)",
            "BSL-1.0",
        ),
        (
            "Licensed to the Apache Software Foundation (ASF) under one or more contributor \
             license agreements. The ASF licenses this file to You under the Apache License, \
             Version 2.0 (the \"License\"); you may not use this file except in compliance with \
             the License.",
            "Apache-2.0",
        ),
        (
            "Copyright (c) Microsoft Corporation.\n// Licensed under the MIT License.\n",
            "MIT",
        ),
        (
            "Licensed under the Apache License, Version 2.0 <LICENSE-APACHE or\n\
             http://www.apache.org/licenses/LICENSE-2.0> or the MIT license\n<LICENSE-MIT or \
             http://opensource.org/licenses/MIT>, at your\noption.",
            "Apache-2.0 OR MIT",
        ),
        (
            "Licensed under either of\n\n * Apache License, Version 2.0 (LICENSE-APACHE)\n * MIT \
             license (LICENSE-MIT)\n\nat your option.",
            "Apache-2.0 OR MIT",
        ),
        (
            "Part of the LLVM Project, under the Apache License v2.0 with LLVM Exceptions.\n\
             // This file is licensed under the Apache License v2.0 with LLVM Exceptions.",
            "Apache-2.0 WITH LLVM-exception",
        ),
        (
            "This work is licensed under a Creative Commons Attribution-NonCommercial 4.0 \
             International License.",
            "CC-BY-NC-4.0",
        ),
        (
            "This article is distributed under the terms of the Creative Commons Attribution 4.0 \
             International License (http://creativecommons.org/licenses/by/4.0/), which permits \
             unrestricted use.",
            "CC-BY-4.0",
        ),
        (
            "Foo is licensed under Mulan PSL v2.\nYou can use this software according to the terms \
             and conditions of the Mulan PSL v2.\nYou may obtain a copy of Mulan PSL v2 at:\n   \
             http://license.coscl.org.cn/MulanPSL2",
            "MulanPSL-2.0",
        ),
        (
            "Licensed under the EUPL, Version 1.2 only (the \"Licence\"); You may not use this \
             work except in compliance with the Licence.",
            "EUPL-1.2",
        ),
        (
            "本作品采用知识共享署名-非商业性使用 4.0 国际许可协议进行许可。",
            "CC-BY-NC-4.0",
        ),
        ("版权说明：本项目采用 MIT 许可证发布。", "MIT"),
        ("本软件遵循木兰宽松许可证，第2版。", "MulanPSL-2.0"),
        ("本项目基于 Apache-2.0 协议开源", "Apache-2.0"),
        (
            "本文章采用 CC BY-NC-SA 4.0 许可协议，转载请注明出处。",
            "CC-BY-NC-SA-4.0",
        ),
    ] {
        assert_eq!(spdx(text).as_deref(), Some(expected), "{text}");
        for mark in ["//", " *", "#", ";;", "--", "%", "REM", "dnl", "'", "!"] {
            let is_word = mark.starts_with(char::is_alphabetic);
            // These have to start a line.
            let starts_line = text.contains("Microsoft")
                || text.starts_with("Distributed under")
                || text.starts_with("Licensed under");
            if is_word && starts_line {
                continue;
            }
            let commented = commented(text, mark);
            assert_eq!(spdx(&commented).as_deref(), Some(expected), "{commented}");
        }
    }
}

#[test]
fn full_texts_as_people_keep_them() {
    for (id, expected) in [
        ("MIT", "MIT"),
        ("Apache-2.0", "Apache-2.0"),
        ("GPL-2.0-only", "GPL-2.0-only"),
        ("GPL-3.0-only", "GPL-3.0-only"),
        ("LGPL-2.1-only", "LGPL-2.1-only"),
        ("LGPL-3.0-only", "LGPL-3.0-only"),
        ("AGPL-3.0-only", "AGPL-3.0-only"),
        ("BSD-2-Clause", "BSD-2-Clause"),
        ("BSD-3-Clause", "BSD-3-Clause"),
        ("BSD-4-Clause", "BSD-4-Clause"),
        ("0BSD", "0BSD"),
        ("ISC", "ISC"),
        ("Zlib", "Zlib"),
        ("Unlicense", "Unlicense"),
        ("CC0-1.0", "CC0-1.0"),
        ("CC-BY-4.0", "CC-BY-4.0"),
        ("CC-BY-SA-4.0", "CC-BY-SA-4.0"),
        ("CC-BY-NC-SA-4.0", "CC-BY-NC-SA-4.0"),
        ("CC-BY-3.0", "CC-BY-3.0"),
        ("MulanPSL-2.0", "MulanPSL-2.0"),
        ("MPL-2.0", "MPL-2.0"),
        ("EPL-2.0", "EPL-2.0"),
        ("EUPL-1.2", "EUPL-1.2"),
        ("BSL-1.0", "BSL-1.0"),
        ("ODbL-1.0", "ODbL-1.0"),
    ] {
        let text = text_of(id);
        let upper = text.to_uppercase();
        let wrapped = text.split_whitespace().collect::<Vec<_>>();
        let wrapped: String = wrapped
            .chunks(7)
            .map(|words| format!(" * {}\n", words.join(" ")))
            .collect();
        for (form, document) in [
            ("as it is", text.to_owned()),
            ("in capitals", upper),
            ("wrapped and commented", wrapped.clone()),
            (
                "before code",
                format!("/*\n{wrapped} */\n{}", code(100_000)),
            ),
            ("behind code", format!("{}\n{text}", code(100_000))),
            (
                "amid code",
                format!("{}{text}{}", code(50_000), code(50_000)),
            ),
        ] {
            let (found, confidence) = detect(&document).unwrap_or_default();
            assert_eq!(found, expected, "{form}");
            assert!(
                (0.9..=1.0).contains(&confidence),
                "{id} {form}: {confidence}"
            );
        }
    }
}

#[test]
fn a_bilingual_text_is_found_in_either_language() {
    let (chinese, english): (Vec<&str>, Vec<&str>) = text_of("MulanPSL-2.0")
        .lines()
        .partition(|line| line.chars().any(|c| ('\u{4E00}'..='\u{9FFF}').contains(&c)));
    assert_eq!(spdx(&chinese.join("\n")).as_deref(), Some("MulanPSL-2.0"));
    assert_eq!(spdx(&english.join("\n")).as_deref(), Some("MulanPSL-2.0"));
}

#[test]
fn holders_of_their_own_do_not_hide_a_text() {
    let own = text_of("BSD-3-Clause")
        .replace("<year> <owner>", "1989, 1993 The Regents of Somewhere")
        .replace("the copyright holder nor", "the University nor")
        .replace(
            "COPYRIGHT HOLDERS AND CONTRIBUTORS",
            "REGENTS AND CONTRIBUTORS",
        )
        .replace(
            "COPYRIGHT HOLDER OR CONTRIBUTORS",
            "REGENTS OR CONTRIBUTORS",
        );
    let (found, confidence) = detect(&own).expect("a text");
    assert_eq!(found, "BSD-3-Clause");
    assert!((0.75..1.0).contains(&confidence), "{confidence}");
}

/// Each text of the SPDX list is found as itself, but for those that no text can tell apart.
#[test]
fn every_text_of_the_list() {
    let mut by_outcome: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for (id, text) in spdx::text::LICENSE_TEXTS {
        let expected = license_id(id);
        let found = license_detect(text).map(|found| found.spdx);
        // -only and -or-later, invariant sections, reserved font names: said outside the text.
        let plain = |id: &str| {
            [
                "-or-later",
                "-only",
                "-no-invariants",
                "-invariants",
                "-no-RFN",
                "-RFN",
                "-no-copyleft-exception",
            ]
            .iter()
            .fold(id.to_owned(), |id, suffix| id.replace(suffix, ""))
        };
        let outcome = match (&found, &expected) {
            (None, _) => "not found",
            (Some(found), Some(expected)) if plain(found) == plain(expected) => "right",
            _ => "other",
        };
        by_outcome
            .entry(outcome)
            .or_default()
            .push(format!("{id}: {found:?}"));
    }
    let count = |outcome: &str| by_outcome.get(outcome).map_or(0, Vec::len);
    assert!(count("right") >= 680, "{by_outcome:?}");
    // Texts of a sentence or two, other languages, deprecated exceptions.
    assert!(count("not found") <= 50, "{:?}", by_outcome["not found"]);
    let other: Vec<&str> = by_outcome["other"]
        .iter()
        .filter_map(|line| line.split(':').next())
        .collect();
    // The first two hold each other, the third is itself under CC-BY-4.0, the last is a header.
    assert_eq!(
        other,
        [
            "CAL-1.0",
            "CAL-1.0-Combined-Work-Exception",
            "Community-Spec-1.0",
            "eCos-2.0"
        ]
    );
}

#[test]
fn several_licences() {
    let tag = "// SPDX-License-Identifier: GPL-2.0-only\n";
    for (text, expected) in [
        (
            format!("{tag}{}", commented(GPL_HEADER, "//")),
            "GPL-2.0-only AND GPL-3.0-or-later",
        ),
        (
            format!("# SPDX-License-Identifier: GPL-3.0-or-later\n{GPL_HEADER}"),
            "GPL-3.0-or-later",
        ),
        (
            format!("{GPL_HEADER}\n\n{}", text_of("GPL-3.0-only")),
            "GPL-3.0-or-later",
        ),
        (
            format!("{}\n\n{}", text_of("MIT"), text_of("Apache-2.0")),
            "MIT AND Apache-2.0",
        ),
        (text_of("GPL-3.0-only").repeat(3), "GPL-3.0-only"),
        (
            format!("{}\n\n{}", text_of("BSD-3-Clause"), text_of("ISC")),
            "BSD-3-Clause AND ISC",
        ),
        (
            format!(
                "// SPDX-License-Identifier: MIT OR Apache-2.0\n{}\n{}",
                text_of("MIT"),
                text_of("Apache-2.0")
            ),
            "MIT OR Apache-2.0",
        ),
        (
            format!(
                "SPDX-License-Identifier: MIT\n{}SPDX-License-Identifier: ISC\n",
                code(900)
            ),
            "MIT AND ISC",
        ),
        (
            format!("SPDX-License-Identifier: MIT OR ISC\n{}", text_of("Zlib")),
            "(MIT OR ISC) AND Zlib",
        ),
    ] {
        assert_eq!(spdx(&text).as_deref(), Some(expected));
    }
}

/// What is written about licences does not carry one.
#[test]
fn prose_about_licences_is_not_one() {
    for text in [
        "The GNU General Public License is a series of widely used free software licenses. The \
         GPL was written by Richard Stallman for the GNU Project. Version 3 was released on 29 \
         June 2007. Software under the GPL may be run for all purposes, including commercial \
         purposes. The license grants the recipients of a computer program the rights of the Free \
         Software Definition. Anyone may redistribute and modify the work under the terms of the \
         GNU General Public License version 3, as long as the license is kept.",
        "Linux is licensed under the GNU General Public License version 2, with the syscall note.",
        "This article compares the MIT License and the Apache License 2.0, under which many \
         libraries are published.",
        "In 2012 the project was relicensed under the Apache License, Version 2.0.",
        "Many sites are licensed under a Creative Commons Attribution 4.0 International License.",
        "You need a licence to drive. The licence was issued under the Road Traffic Act 1988.",
        "Permission is hereby granted to the pupils to leave early.",
        "The seller gives no warranty. Redistribution of income is a policy question.",
        "The software is governed by a BSD-style license that can be found in the LICENSE file.",
        "This program is licensed under the MIT-style license of its authors.",
        "This work is licensed under terms you find in the LICENSE file.",
        "This work is licensed under the GPL.",
        "This file is licensed under the Apache License 2.0 with the Commons Clause.",
        "Add a tag such as SPDX-License-Identifier to every file.",
        "许可证是软件的法律文件。木兰宽松许可证由多家机构起草，MIT 许可证更为简短。",
        "本文介绍 MIT 许可证与 Apache 许可证 2.0 的区别。",
        "本公司未经许可不得转载。双方签订协议，采用书面形式。",
        "\u{1F600}licens\u{1F600}e 许可",
        "license",
        "",
    ] {
        assert_eq!(detect(text), None, "{text}");
        assert_eq!(detect(&text.repeat(40)), None, "{text}");
    }
    // A part of a text is not the text, nor is the header that it recommends the document's own.
    for id in ["GPL-3.0-only", "Apache-2.0", "CC-BY-4.0", "MPL-2.0"] {
        let text = text_of(id);
        let words: Vec<&str> = text.split_whitespace().collect();
        for part in words.chunks(words.len() / 3) {
            assert_eq!(detect(&part.join(" ")), None, "{id}");
        }
    }
}

#[test]
fn what_is_found_reads_as_itself_and_agrees_with_itself() {
    for (id, text) in spdx::text::LICENSE_TEXTS {
        if let Some((found, confidence)) = detect(text) {
            assert_eq!(license_id(&found), Some(found.clone()), "{id}");
            assert!(!license_conflicts(Some(&found), &found), "{id}");
            assert!(confidence > 0.0 && confidence <= 1.0, "{id}: {confidence}");
        }
    }
}

/// Long and repetitive documents take time linear in their length.
#[test]
fn hostile_documents_are_bounded() {
    let megabytes = |piece: &str| piece.repeat(4_000_000 / piece.len());
    for document in [
        megabytes("license "),
        megabytes("licensed under "),
        megabytes("under the terms of the license\n"),
        megabytes("SPDX-License-Identifier: MIT OR\n"),
        megabytes("SPDX-License-Identifier:((((((((((((((("),
        megabytes("SPDX-License-Identifier: MIT\n"),
        megabytes("this file is licensed under the the the a a "),
        megabytes("This work is licensed under CC BY-NC 4.0. "),
        megabytes("许可"),
        megabytes("本作品采用许可"),
        megabytes("LICENSELICENSE"),
        megabytes("permission is hereby granted free of charge to any "),
        megabytes(text_of("MIT")),
        megabytes(text_of("GPL-3.0-only")),
        "a".repeat(4_000_000) + "license",
        "license".to_owned() + &"\u{1F600}".repeat(1_000_000),
    ] {
        let started = std::time::Instant::now();
        let found = license_detect(&document);
        let elapsed = started.elapsed();
        // Generous, since tests share the machine: 4 MB at 0.2 MB/s.
        assert!(
            elapsed.as_secs() < 20,
            "{:?}: {elapsed:?}",
            document.get(..40)
        );
        if let Some(found) = found {
            assert_eq!(license_id(&found.spdx), Some(found.spdx.clone()));
        }
    }
}
