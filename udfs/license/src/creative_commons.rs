//! Creative Commons licences by elements, version and jurisdiction.

use crate::expression::Expression;
use crate::key::key;
use crate::names::Name;

/// How the licences that SPDX gives no id are called here.
const REFERENCE: &str = "LicenseRef-tamis-";

/// Country codes of the ports Creative Commons published before version 4.0, as its addresses
/// write them.
const PORTS: &[&str] = &[
    "am", "ar", "at", "au", "az", "be", "bg", "br", "ca", "ch", "cl", "cn", "co", "cr", "cz", "de",
    "dk", "ec", "ee", "eg", "es", "fi", "fr", "ge", "gr", "gt", "hk", "hr", "hu", "ie", "igo",
    "il", "in", "it", "jp", "kr", "lu", "mk", "mt", "mx", "my", "nl", "no", "nz", "pe", "ph", "pl",
    "pr", "pt", "ro", "rs", "scotland", "se", "sg", "si", "th", "tw", "ug", "uk", "us", "ve", "vn",
    "za",
];

/// Jurisdictions written out, as words of a key.
const PLACES: &[(&str, &str)] = &[
    ("australia", "au"),
    ("austria", "at"),
    ("brazil", "br"),
    ("canada", "ca"),
    ("china mainland", "cn"),
    ("mainland china", "cn"),
    ("china", "cn"),
    ("france", "fr"),
    ("germany", "de"),
    ("hong kong", "hk"),
    ("italy", "it"),
    ("japan", "jp"),
    ("netherlands", "nl"),
    ("new zealand", "nz"),
    ("singapore", "sg"),
    ("spain", "es"),
    ("taiwan", "tw"),
    ("united kingdom", "uk"),
    ("england and wales", "uk"),
    ("united states", "us"),
    ("中国大陆", "cn"),
    ("中国", "cn"),
    ("台湾", "tw"),
    ("香港", "hk"),
    ("日本", "jp"),
    ("德国", "de"),
    ("法国", "fr"),
    ("美国", "us"),
    ("澳大利亚", "au"),
];

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    Prefix,
    By,
    NonCommercial,
    NoDerivatives,
    ShareAlike,
    /// "International", "Unported", "Generic": the text of no particular jurisdiction.
    NoPlace,
    /// Part of a full title and without a meaning of its own.
    Silent,
}

/// What a key may consist of; the longest that fits is taken. Latin entries are whole words.
const PARTS: &[(&str, Part)] = &[
    ("no derivative works", Part::NoDerivatives),
    ("creative commons", Part::Prefix),
    ("no derivatives", Part::NoDerivatives),
    ("noderivatives", Part::NoDerivatives),
    ("non commercial", Part::NonCommercial),
    ("creativecommons", Part::Prefix),
    ("noncommercial", Part::NonCommercial),
    ("international", Part::NoPlace),
    ("share alike", Part::ShareAlike),
    ("attribution", Part::By),
    ("sharealike", Part::ShareAlike),
    ("no derivs", Part::NoDerivatives),
    ("noderivs", Part::NoDerivatives),
    ("unported", Part::NoPlace),
    ("generic", Part::NoPlace),
    ("public", Part::Silent),
    ("deed", Part::Silent),
    ("cc", Part::Prefix),
    ("by", Part::By),
    ("nc", Part::NonCommercial),
    ("nd", Part::NoDerivatives),
    ("sa", Part::ShareAlike),
    ("以相同方式共享", Part::ShareAlike),
    ("相同方式共享", Part::ShareAlike),
    ("相同方式分享", Part::ShareAlike),
    ("非商业性使用", Part::NonCommercial),
    ("非商业使用", Part::NonCommercial),
    ("知识共享", Part::Prefix),
    ("创作共用", Part::Prefix),
    ("姓名标示", Part::By),
    ("非商业性", Part::NonCommercial),
    ("禁止演绎", Part::NoDerivatives),
    ("禁止改作", Part::NoDerivatives),
    ("非商业", Part::NonCommercial),
    ("创用", Part::Prefix),
    ("未本地化", Part::NoPlace),
    ("国际", Part::NoPlace),
    ("通用", Part::NoPlace),
    ("署名", Part::By),
];

/// Short forms written in one word.
const JOINED: &[(&str, &str)] = &[
    ("ccbyncsa", "cc by nc sa"),
    ("ccbyncnd", "cc by nc nd"),
    ("ccbysa", "cc by sa"),
    ("ccbync", "cc by nc"),
    ("ccbynd", "cc by nd"),
    ("ccby", "cc by"),
];

#[derive(Debug, Default)]
struct Reading<'a> {
    prefix: bool,
    by: bool,
    non_commercial: bool,
    no_derivatives: bool,
    share_alike: bool,
    no_place: bool,
    version: Option<&'a str>,
    place: Option<&'static str>,
}

/// Reads a key as a Creative Commons licence. Without a version it is the family.
pub(crate) fn read(key: &str) -> Option<Name> {
    let expanded;
    let key = match JOINED.iter().find(|(joined, _)| {
        key.strip_prefix(joined)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with(' '))
    }) {
        Some((joined, parts)) => {
            expanded = format!("{parts}{}", &key[joined.len()..]);
            &expanded
        }
        None => key,
    };
    let reading = Reading::of(key)?;
    // Without its name in front only what nothing else is called like.
    let elements = reading.by as u8
        + reading.non_commercial as u8
        + reading.no_derivatives as u8
        + reading.share_alike as u8;
    let unmistakable = reading.by
        && (elements > 1 || reading.no_place || key.starts_with("署名") || key.starts_with("姓名"));
    (reading.prefix || unmistakable).then(|| reading.name())?
}

/// Whether a reference is called like the Creative Commons licences of [`read`] and is none of
/// them: somebody has invented it.
pub(crate) fn is_invented(reference: &str) -> bool {
    let Some(name) = reference.strip_prefix(REFERENCE) else {
        return false;
    };
    name.starts_with("CC-")
        && read(&key(name))
            != Some(Name::Expression(Expression::reference(
                reference.to_owned(),
            )))
}

/// Reads what stands behind `creativecommons.org/licenses/`: `by-nc/3.0/de/legalcode`.
pub(crate) fn read_address(path: &str) -> Option<Name> {
    let mut segments = path.split('/').filter(|segment| !segment.is_empty());
    let elements = segments.next()?;
    let mut reading = Reading {
        prefix: true,
        ..Reading::default()
    };
    for element in elements.split('-') {
        reading.add(match element {
            "by" => Part::By,
            "nc" => Part::NonCommercial,
            "nd" => Part::NoDerivatives,
            "sa" => Part::ShareAlike,
            _ => return None,
        })?;
    }
    if let Some(version) = segments.next() {
        let is_number = version.starts_with(|c: char| c.is_ascii_digit())
            && version.chars().all(|c| c.is_ascii_digit() || c == '.');
        if !is_number {
            return None;
        }
        reading.version = Some(version.strip_suffix(".0").unwrap_or(version));
    }
    for segment in segments {
        if segment.starts_with("deed") || segment.starts_with("legalcode") || segment == "rdf" {
            break;
        }
        if reading.place.is_some() {
            return None;
        }
        reading.place = Some(PORTS.iter().find(|port| **port == segment)?);
    }
    reading.name()
}

impl<'a> Reading<'a> {
    fn of(key: &'a str) -> Option<Self> {
        let mut reading = Self::default();
        let mut rest = key;
        while !rest.is_empty() {
            rest = reading.take(rest)?.trim_start();
        }
        Some(reading)
    }

    /// Takes one part from the front; what is left, or `None` when nothing fits.
    fn take(&mut self, text: &'a str) -> Option<&'a str> {
        let after = |form: &str| {
            let rest = text.strip_prefix(form)?;
            let whole = !form.is_ascii() || rest.is_empty() || rest.starts_with(' ');
            whole.then_some(rest)
        };
        if text.starts_with(|c: char| c.is_ascii_digit()) {
            let (number, rest) = text.split_once(' ').unwrap_or((text, ""));
            return self.version.replace(number).is_none().then_some(rest);
        }
        if let Some((rest, part)) = PARTS
            .iter()
            .find_map(|(form, part)| Some((after(form)?, *part)))
        {
            self.add(part)?;
            return Some(rest);
        }
        let (rest, place) = PLACES
            .iter()
            .find_map(|(form, place)| Some((after(form)?, *place)))
            .or_else(|| PORTS.iter().find_map(|port| Some((after(port)?, *port))))?;
        // A place comes last, behind the version.
        self.version?;
        self.place.replace(place).is_none().then_some(rest)
    }

    fn add(&mut self, part: Part) -> Option<()> {
        let flag = match part {
            // "Creative Commons CC BY": its name may come twice.
            Part::Prefix => {
                self.prefix = true;
                return Some(());
            }
            Part::By => &mut self.by,
            Part::NonCommercial => &mut self.non_commercial,
            Part::NoDerivatives => &mut self.no_derivatives,
            Part::ShareAlike => &mut self.share_alike,
            Part::NoPlace => &mut self.no_place,
            Part::Silent => return Some(()),
        };
        // Said twice, it is not a name any more.
        (!std::mem::replace(flag, true)).then_some(())
    }

    fn name(&self) -> Option<Name> {
        if self.share_alike && self.no_derivatives || self.no_place && self.place.is_some() {
            return None;
        }
        let mut id = String::from("CC");
        for (set, element) in [
            (self.by, "-BY"),
            (self.non_commercial, "-NC"),
            (self.no_derivatives, "-ND"),
            (self.share_alike, "-SA"),
        ] {
            if set {
                id.push_str(element);
            }
        }
        let (Some(version), true) = (self.version, id.len() > 2) else {
            return Some(Name::Family(id));
        };
        id.push('-');
        id.push_str(version);
        if !version.contains('.') {
            id.push_str(".0");
        }
        let reference =
            |name: &str| Name::Expression(Expression::reference(format!("{REFERENCE}{name}")));
        let Some(place) = self.place else {
            // Version 1.0 came without attribution too; SPDX has only CC-SA-1.0 of those.
            let is_first = version == "1" && !self.by;
            return Name::of_id(&id).or_else(|| is_first.then(|| reference(&id)));
        };
        let ported = format!("{id}-{}", place.to_ascii_uppercase());
        if let Some(name) = Name::of_id(&ported) {
            return Some(name);
        }
        // A port SPDX gives no id: a text of its own, never the unported one.
        let was_ported = self.by && matches!(version, "1" | "2" | "2.1" | "2.5" | "3");
        was_ported.then(|| reference(&ported))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(name: Option<Name>) -> String {
        match name {
            Some(Name::Expression(expression)) => expression.to_string(),
            Some(Name::Family(family)) => format!("family {family}"),
            Some(other) => panic!("{other:?}"),
            None => "nothing".into(),
        }
    }

    #[test]
    fn names_and_short_forms() {
        for (text, expected) in [
            ("CC BY-NC-SA 4.0", "CC-BY-NC-SA-4.0"),
            ("ccby 4.0", "CC-BY-4.0"),
            (
                "Creative Commons Attribution-NonCommercial 3.0 Unported",
                "CC-BY-NC-3.0",
            ),
            (
                "Creative Commons Attribution 4.0 International Public License",
                "CC-BY-4.0",
            ),
            ("CC BY-SA 3.0 DE", "CC-BY-SA-3.0-DE"),
            ("CC BY 3.0 China Mainland", "LicenseRef-tamis-CC-BY-3.0-CN"),
            ("署名-非商业性使用-禁止演绎 4.0 国际", "CC-BY-NC-ND-4.0"),
            ("知识共享署名-相同方式共享 4.0 国际许可协议", "CC-BY-SA-4.0"),
            (
                "姓名標示-非商業性-相同方式分享 3.0 台灣",
                "LicenseRef-tamis-CC-BY-NC-SA-3.0-TW",
            ),
            ("Creative Commons CC-BY 4.0", "CC-BY-4.0"),
            ("CC BY", "family CC-BY"),
            ("CC", "family CC"),
            ("CC 4.0", "family CC"),
            ("CC BY 5.0", "nothing"),
            ("CC BY 4.0 DE", "nothing"),
            ("CC BY-ND-SA 4.0", "nothing"),
            ("by 4.0", "nothing"),
            ("CC NC 4.0", "nothing"),
            ("CC NC 1.0", "LicenseRef-tamis-CC-NC-1.0"),
            ("CC ND-NC 1.0", "LicenseRef-tamis-CC-NC-ND-1.0"),
            ("CC SA 1.0", "CC-SA-1.0"),
            ("CC NC-SA", "family CC-NC-SA"),
            ("CC NC 1.0 DE", "nothing"),
            ("CC 1.0", "family CC"),
        ] {
            assert_eq!(shown(read(&key(text))), expected, "{text}");
        }
    }

    #[test]
    fn addresses() {
        for (path, expected) in [
            ("by/4.0/", "CC-BY-4.0"),
            ("by-nc/3.0/de/legalcode", "CC-BY-NC-3.0-DE"),
            ("by/3.0/cn", "LicenseRef-tamis-CC-BY-3.0-CN"),
            ("by-sa/4.0/deed.zh", "CC-BY-SA-4.0"),
            ("nd-nc/1.0", "LicenseRef-tamis-CC-NC-ND-1.0"),
            ("nc-sa/1.0/", "LicenseRef-tamis-CC-NC-SA-1.0"),
            ("sa/1.0", "CC-SA-1.0"),
            ("nc/2.0", "nothing"),
            ("by-nd-nc/1.0", "CC-BY-NC-ND-1.0"),
            ("by", "family CC-BY"),
            ("by/9.0", "nothing"),
            ("by/4.0/xx", "nothing"),
            ("by/deed", "nothing"),
        ] {
            assert_eq!(shown(read_address(path)), expected, "{path}");
        }
    }
}
