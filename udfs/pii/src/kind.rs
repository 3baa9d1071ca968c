use std::fmt;

use tamis_resource::nearest;

macro_rules! named {
    ($(#[$meta:meta])* $name:ident { $($(#[$doc:meta])* $variant:ident = $text:literal,)* }) => {
        $(#[$meta])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum $name { $($(#[$doc])* $variant,)* }

        impl $name {
            /// All of them, in the order of precedence.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// The name, in snake case.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $text,)* }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.as_str())
            }
        }
    };
}

named! {
    /// What a finding is.
    ///
    /// The order is the precedence among findings that overlap: the earlier kind stays.
    #[non_exhaustive]
    Kind {
        /// A private key in PEM armour (RFC 7468) or OpenPGP armour.
        PrivateKey = "private_key",
        /// An access key or token with a known prefix and shape, or a labelled secret.
        ApiKey = "api_key",
        /// Bitcoin, Litecoin, Dogecoin, Tron (base58check), SegWit (BIP 173, 350), Ethereum (EIP-55).
        CryptoWallet = "crypto_wallet",
        /// An e-mail address (RFC 5321; international domains).
        Email = "email",
        /// International bank account number (ISO 13616).
        Iban = "iban",
        /// Resident identity number of 18 (GB 11643) or 15 digits; residence permits 81, 82, 83.
        CnResidentId = "cn_resident_id",
        /// Unified social credit code of an organisation (GB 32100).
        SocialCreditCode = "social_credit_code",
        /// Payment card of 13 to 19 digits (ISO/IEC 7812).
        BankCard = "bank_card",
        /// Hong Kong identity card.
        HkId = "hk_id",
        /// Macao resident identity card.
        MoId = "mo_id",
        /// Taiwan identity card or resident certificate.
        TwId = "tw_id",
        /// Travel permits between the Mainland, Hong Kong, Macao and Taiwan.
        TravelPermit = "travel_permit",
        /// Chinese passport.
        CnPassport = "cn_passport",
        /// Passport of another country, where labelled.
        Passport = "passport",
        /// Social security number of the United States.
        UsSsn = "us_ssn",
        /// Mobile or landline number of Mainland China.
        CnPhone = "cn_phone",
        /// Any other telephone number (E.164, North American plan).
        Phone = "phone",
        /// QQ number, where labelled.
        Qq = "qq",
        /// WeChat id, where labelled.
        Wechat = "wechat",
        /// IPv4 address.
        Ipv4 = "ipv4",
        /// IPv6 address.
        Ipv6 = "ipv6",
        /// Licence plate of Mainland China (GA 36), new energy included.
        CnPlate = "cn_plate",
        /// Postal address down to the house.
        Address = "address",
        /// A person's name, where labelled.
        Name = "name",
    }
}

named! {
    /// Sensitive personal information after article 28 of the Personal Information Protection Law.
    #[non_exhaustive]
    Sensitive {
        /// Personal information of minors under the age of fourteen.
        Minor = "minor",
        /// Medical health.
        Health = "health",
        /// Biometric recognition.
        Biometric = "biometric",
        /// Religious belief.
        Religion = "religion",
        /// Financial accounts.
        Finance = "finance",
        /// Individual whereabouts.
        Location = "location",
        /// Specific identity, and the numbers of identity documents.
        Identity = "identity",
    }
}

/// A name that is not a kind.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("unknown kind of personal information {name:?}{}", suggestion(*.nearest))]
pub struct UnknownKind {
    /// The name as given.
    pub name: String,
    /// The kind that was most likely meant.
    pub nearest: Option<&'static str>,
}

fn suggestion(nearest: Option<&'static str>) -> String {
    match nearest {
        Some(kind) => format!(": did you mean {kind:?}?"),
        None => {
            let known: Vec<&str> = Kind::ALL.iter().map(|kind| kind.as_str()).collect();
            format!(": known are {}", known.join(", "))
        }
    }
}

impl Kind {
    /// The kind of this name; ASCII case and white space around it do not matter.
    ///
    /// # Errors
    /// `UnknownKind` with the nearest known name.
    pub fn parse(name: &str) -> Result<Self, UnknownKind> {
        let wanted = name.trim();
        let known = |kind: &&Self| kind.as_str().eq_ignore_ascii_case(wanted);
        Self::ALL
            .iter()
            .find(known)
            .copied()
            .ok_or_else(|| UnknownKind {
                name: name.to_owned(),
                nearest: nearest(wanted, Self::ALL.iter().map(|kind| kind.as_str())),
            })
    }

    /// What stands in a redacted text in place of a finding: `[CN_RESIDENT_ID]`.
    pub const fn placeholder(self) -> &'static str {
        match self {
            Self::PrivateKey => "[PRIVATE_KEY]",
            Self::ApiKey => "[API_KEY]",
            Self::CryptoWallet => "[CRYPTO_WALLET]",
            Self::Email => "[EMAIL]",
            Self::Iban => "[IBAN]",
            Self::CnResidentId => "[CN_RESIDENT_ID]",
            Self::SocialCreditCode => "[SOCIAL_CREDIT_CODE]",
            Self::BankCard => "[BANK_CARD]",
            Self::HkId => "[HK_ID]",
            Self::MoId => "[MO_ID]",
            Self::TwId => "[TW_ID]",
            Self::TravelPermit => "[TRAVEL_PERMIT]",
            Self::CnPassport => "[CN_PASSPORT]",
            Self::Passport => "[PASSPORT]",
            Self::UsSsn => "[US_SSN]",
            Self::CnPhone => "[CN_PHONE]",
            Self::Phone => "[PHONE]",
            Self::Qq => "[QQ]",
            Self::Wechat => "[WECHAT]",
            Self::Ipv4 => "[IPV4]",
            Self::Ipv6 => "[IPV6]",
            Self::CnPlate => "[CN_PLATE]",
            Self::Address => "[ADDRESS]",
            Self::Name => "[NAME]",
        }
    }

    /// The sensitivity the kind has by itself, whatever stands around it.
    ///
    /// Account numbers are financial accounts (article 28 names them). Numbers of identity
    /// documents count as identity: article 28 defines sensitive information by the harm a leak
    /// does, and annex B of GB/T 35273-2020 lists identity documents.
    pub const fn inherent(self) -> Option<Sensitive> {
        match self {
            Self::BankCard | Self::Iban | Self::CryptoWallet => Some(Sensitive::Finance),
            Self::CnResidentId
            | Self::CnPassport
            | Self::Passport
            | Self::HkId
            | Self::MoId
            | Self::TwId
            | Self::TravelPermit
            | Self::UsSsn => Some(Sensitive::Identity),
            _ => None,
        }
    }

    /// Whether it is about a natural person. The words around a credential or an organisation's
    /// code never make it sensitive.
    pub const fn is_personal(self) -> bool {
        !matches!(
            self,
            Self::ApiKey | Self::PrivateKey | Self::SocialCreditCode
        )
    }
}

impl std::str::FromStr for Kind {
    type Err = UnknownKind;

    fn from_str(name: &str) -> Result<Self, UnknownKind> {
        Self::parse(name)
    }
}

/// A set of kinds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct KindSet(u32);

impl KindSet {
    /// No kind.
    pub const EMPTY: Self = Self(0);

    /// Every kind.
    pub fn all() -> Self {
        Kind::ALL.iter().copied().collect()
    }

    /// Adds a kind.
    pub fn insert(&mut self, kind: Kind) {
        self.0 |= 1 << kind as u32;
    }

    /// Whether the kind is in the set.
    pub const fn contains(self, kind: Kind) -> bool {
        self.0 & (1 << kind as u32) != 0
    }

    /// Whether no kind is in the set.
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }
}

impl FromIterator<Kind> for KindSet {
    fn from_iter<I: IntoIterator<Item = Kind>>(kinds: I) -> Self {
        let mut set = Self::EMPTY;
        kinds.into_iter().for_each(|kind| set.insert(kind));
        set
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_go_both_ways() {
        for &kind in Kind::ALL {
            assert_eq!(Kind::parse(kind.as_str()), Ok(kind));
            assert_eq!(
                kind.placeholder(),
                format!("[{}]", kind.as_str().to_ascii_uppercase())
            );
        }
        assert_eq!(Kind::parse(" Email "), Ok(Kind::Email));
        assert_eq!(Kind::ALL.len(), 24);
    }

    #[test]
    fn a_mistyped_name_gets_a_suggestion() {
        let error = Kind::parse("cn_resident_ids").unwrap_err();
        assert_eq!(error.nearest, Some("cn_resident_id"));
        assert!(
            error
                .to_string()
                .contains("did you mean \"cn_resident_id\"")
        );
        assert!(
            Kind::parse("")
                .unwrap_err()
                .to_string()
                .contains("known are")
        );
    }

    #[test]
    fn sets() {
        let set: KindSet = [Kind::Email, Kind::Name].into_iter().collect();
        assert!(set.contains(Kind::Email) && set.contains(Kind::Name));
        assert!(!set.contains(Kind::Qq) && !set.is_empty());
        assert!(Kind::ALL.iter().all(|&kind| KindSet::all().contains(kind)));
        assert!(KindSet::EMPTY.is_empty());
    }
}
