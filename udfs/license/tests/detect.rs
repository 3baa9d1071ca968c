use tamis_license::license_detect;
#[test]
fn every_text() {
    let (mut right, mut none, mut wrong) = (0, vec![], vec![]);
    for (id, text) in spdx::text::LICENSE_TEXTS {
        match license_detect(text) {
            None => none.push(*id),
            Some(found) if Some(&found.spdx) == tamis_license::license_id(id).as_ref() => {
                right += 1
            }
            Some(found) => wrong.push(format!("{id}: {} {}", found.spdx, found.confidence)),
        }
    }
    println!("{right} right\nnone {none:?}\nwrong\n{}", wrong.join("\n"));
}
