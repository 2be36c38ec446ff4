"""Delimiter and encoding of CSV files: found where they are sure, else refused with a remedy that works."""

from __future__ import annotations

import gzip

import pytest

from fuzzyjoin.errors import DataError, FuzzyJoinError, UsageError
from fuzzyjoin.files import Layout, found_layout, layout_note, read_table, table_batches
from fuzzyjoin.files.table_files import row_name

WESTERN = {
    "German": "Straßenbau Höfer, Grünwald Möbel, Jäger & Söhne, ÖKO-Fußböden, „Schöner Wohnen“, »Spaß«",
    "French": "L’œil créé à Besançon, où naïveté, Saint-Étienne, ÉLYSÉE, Forêt d’Orléans, sûr, L'Haÿ-les-Roses",
    "Spanish": "¿Qué pasó en Logroño?, Ñandú, pingüino, 3.ª edición, A Coruña",
    "Portuguese": "São João, Guimarães, Camões, cãibra, Conceição, maçã, três",
    "Italian": "Città, però, più, caffè, perché, Lunedì",
    "Danish": "Ærøskøbing, Ålborg, Smørrebrød",
    "Swedish": "Malmö, Ångström, Räksmörgås",
    "Icelandic": "Þórður, Guðrún, Ísafjörður, þýðing, Akureyri á Íslandi",
    "Catalan": "col·lecció, història, Plaça de la Vila",
    "prices": "12,50 €, 3 m², 20 °C, § 5, Lake–Hill, Maison® ™",
}

OTHERS = {
    "cp1250": [
        "Łódź, Kraków, mąż, Świętokrzyska",
        "Plzeň, Město, Příbram, dům",
        "Győr, fűző, őszi",
        "Kovačević, Žižek",
    ],
    "cp1251": ["Москва, улица Ленина"],
    "cp1253": ["Αθήνα, Θεσσαλονίκη"],
    "cp1254": ["Muğla, Şişli, Çankırı, Üsküdar"],
    "cp1257": ["Šiauliai, Žemaitė, Kęstutis, Mažeikių"],
    "iso-8859-2": ["Łódź, Kraków, Plzeň, Říčany"],
    "koi8-r": ["Москва, улица Ленина"],
    "mac-roman": ["Grünwald, Jäger, Mobilität, Café, Söhne"],
    "cp850": ["Grünwald, Jäger, Mobilität, Söhne"],
    "cp437": ["Málaga, Mobilität, Söhne"],
    "shift-jis": ["東京都渋谷区, カタカナ"],
    "gb18030": ["北京市海淀区"],
    "euc-kr": ["서울특별시"],
}


def put(folder, lines, encoding, *, delimiter=",", name="table.csv"):
    """Write a table of ids and the given names."""
    path = folder / name
    text = "\r\n".join([f"id{delimiter}name", *(f'{row}{delimiter}"{line}"' for row, line in enumerate(lines))])
    data = text.encode(encoding)
    path.write_bytes(gzip.compress(data) if name.endswith(".gz") else data)
    return path


def names(path, layout=None):
    return read_table(path, layout or Layout())["name"].tolist()


def said(path):
    return layout_note(path, Layout(), found_layout(path))


class TestEncodings:
    @pytest.mark.parametrize("name", ["table.csv", "table.csv.gz"])
    @pytest.mark.parametrize("text", WESTERN.values(), ids=WESTERN)
    def test_western_texts_in_windows_1252_are_read_and_it_is_said(self, tmp_path, text, name):
        path = put(tmp_path, ["Lake", text], "cp1252", name=name)
        assert names(path) == ["Lake", text]
        assert said(path) == f"{path}: read as Windows-1252"

    def test_a_table_of_many_countries_is_read(self, tmp_path):
        rows = [text for key, text in WESTERN.items() if key != "Icelandic"]
        assert names(put(tmp_path, rows, "cp1252")) == rows

    @pytest.mark.parametrize("text", WESTERN.values(), ids=WESTERN)
    @pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
    def test_unicode_is_read(self, tmp_path, text, encoding):
        path = put(tmp_path, ["東京 Łódź", text], encoding)
        assert names(path) == ["東京 Łódź", text]
        assert said(path) == (f"{path}: read as UTF-16" if encoding == "utf-16" else None)

    def test_big_endian_utf_16_is_read_by_its_mark(self, tmp_path):
        path = tmp_path / "table.tsv"
        path.write_bytes("\ufeffid\tname\n1\tMalmö\n".encode("utf-16-be"))
        assert names(path) == ["Malmö"]

    @pytest.mark.parametrize(
        ("encoding", "text"), [(encoding, text) for encoding, texts in OTHERS.items() for text in texts]
    )
    def test_other_encodings_are_refused_and_the_remedy_works(self, tmp_path, encoding, text):
        path = put(tmp_path, ["Lake", text], encoding)
        with pytest.raises(DataError, match=r"line 3: the byte 0x.. at offset .* --encoding windows-1252"):
            read_table(path)
        assert names(path, found_layout(path, Layout(encoding=encoding))) == ["Lake", text]

    @pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be"])
    def test_unmarked_utf_16_is_refused_and_the_remedy_works(self, tmp_path, encoding):
        path = put(tmp_path, ["Lake", "Malmö"], encoding)
        with pytest.raises(DataError) as caught:
            read_table(path)
        assert f"--encoding {encoding}" in str(caught.value)
        assert names(path, Layout(encoding=encoding)) == ["Lake", "Malmö"]

    def test_utf_8_with_a_broken_byte_is_not_read_as_windows_1252(self, tmp_path):
        path = tmp_path / "table.csv"
        path.write_bytes("id,name\n1,Malmö\n2,Orléans\n".encode() + b"3,Caf\xe9\n")
        with pytest.raises(DataError, match="line 4: the byte 0xE9 at offset 33 is not UTF-8"):
            read_table(path)

    def test_a_stray_byte_far_inside_a_large_file_is_named(self, tmp_path):
        path = tmp_path / "table.csv"
        path.write_bytes(b"id,name\n" + b"1,a\n" * 500_000 + b"2,\xff\n")
        with pytest.raises(DataError, match="line 500002: the byte 0xFF at offset 2,000,010"):
            read_table(path)

    def test_a_letter_across_two_blocks_is_utf_8(self, tmp_path):
        path = tmp_path / "table.csv"
        path.write_bytes(b"id,name\n1," + b"x" * ((1 << 20) - 8) + "é\n".encode())
        assert names(path)[0].endswith("xé")

    def test_batches_are_read_the_same(self, tmp_path):
        path = put(tmp_path, ["Malmö"] * 5, "cp1252", delimiter=";")
        pieces = list(table_batches(path, 2, found_layout(path)))
        assert [len(piece) for piece in pieces] == [0, 2, 2, 1]
        assert set(pieces[1]["name"]) == {"Malmö"}

    def test_rows_are_found_in_utf_16(self, tmp_path):
        assert row_name(put(tmp_path, ["a", "two\nlines", "b"], "utf-16"), 2) == "line 5"


class TestNamed:
    def test_bytes_that_are_none_of_the_encoding_are_named(self, tmp_path):
        path = tmp_path / "table.csv"
        path.write_bytes(b"id,name\r\n1,a\r\n2,\x81b\r\n")
        with pytest.raises(DataError, match="line 3: the byte 0x81 at offset 16 is not Windows-1252"):
            read_table(path, Layout(encoding="windows-1252"))

    def test_utf_16_that_ends_within_a_letter_is_an_error(self, tmp_path):
        path = put(tmp_path, ["Lake"], "utf-16")
        path.write_bytes(path.read_bytes()[:-1])
        with pytest.raises(DataError, match="UTF-16"):
            read_table(path)

    def test_a_file_that_is_utf_8_is_not_read_as_something_else(self, tmp_path):
        path = put(tmp_path, ["Malmö"], "utf-8")
        with pytest.raises(DataError, match="is UTF-8, but Windows-1250 is named"):
            found_layout(path, Layout(encoding="windows-1250"))

    @pytest.mark.parametrize(("name", "reads"), [("tab", "\t"), ("\\t", "\t"), (";", ";")])
    def test_a_delimiter_that_is_named_is_taken(self, tmp_path, name, reads):
        path = put(tmp_path, ["Lake, Hill"], "utf-8", delimiter=reads)
        assert names(path, Layout(delimiter=name)) == ["Lake, Hill"]

    def test_what_is_named_is_not_said(self, tmp_path):
        path = put(tmp_path, ["Malmö"], "cp1252", delimiter=";")
        asked = Layout(";", "windows-1252")
        assert layout_note(path, asked, found_layout(path, asked)) is None

    @pytest.mark.parametrize("delimiter", ["", ":", ";;", "semicolon"])
    def test_another_delimiter_is_a_usage_error(self, delimiter):
        with pytest.raises(UsageError, match=r"expected one of , ; \| or tab"):
            Layout(delimiter=delimiter)

    @pytest.mark.parametrize("encoding", ["latinish", "", "zip", "base64", "utf 8 \0"])
    def test_an_unknown_encoding_is_a_usage_error(self, encoding):
        with pytest.raises(UsageError, match="expected the name of a text encoding"):
            Layout(encoding=encoding)


class TestDelimiters:
    def test_a_european_export_is_read_as_it_is(self, tmp_path):
        path = tmp_path / "kunden.csv"
        lines = [
            "Nr;Name, Vorname;Betrag;Ort",
            "1;Müller, Jörg;1.234,50;Köln",
            "2;Weiß;-0,75;",
            '3;"A;B";12;Bühl',
        ]
        path.write_bytes("\r\n".join(lines).encode("cp1252"))
        assert read_table(path).fillna("").to_numpy().tolist() == [
            ["1", "Müller, Jörg", "1.234,50", "Köln"],
            ["2", "Weiß", "-0,75", ""],
            ["3", "A;B", "12", "Bühl"],
        ]
        assert said(path) == f"{path}: read as Windows-1252 with ';' between fields"

    def test_decimal_commas_in_every_line_do_not_hide_the_semicolons(self, tmp_path):
        path = tmp_path / "kunden.csv"
        path.write_text("Nr;Ort;Preis, EUR\n1;Bern;1,50\n2;Chur;0,75\n")
        assert list(read_table(path)["Preis, EUR"]) == ["1,50", "0,75"]

    def test_one_bad_line_does_not_make_another_delimiter_fit(self, tmp_path):
        path = tmp_path / "table.csv"
        path.write_text("id,name;alias\n1,a;b\n2,c;d\n3,e;f,g\n")
        with pytest.raises(FuzzyJoinError, match="line 4 has 3 cells where the header has 2"):
            read_table(path)
