#include "qbitopt/report/table_format.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "qbitopt/core/error.h"
#include "qbitopt/core/json.h"
#include "qbitopt/core/text_file.h"
#include "runlog/fixture.h"

namespace qbitopt {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;
using Show = ColumnDefinition::Show;

Cell number(double value) {
  Cell cell;
  cell.values = {value};
  cell.n = 3;
  return cell;
}

// One row with every kind of cell, and names that every format must escape.
Table make_table() {
  Table table;
  table.name = "quick";
  table.title = "Top-1 & bits, 100% <new>";
  table.columns = {
      {.name = "method", .show = Show::kLabel, .title = "method"},
      {.name = "top1", .title = "top-1, %", .of = {"top1"}, .deviation = true, .best = "max"},
      {.name = "bits",
       .title = "bits W / A",
       .of = {"weight_bits", "activation_bits"},
       .digits = 1},
      {.name = "diff",
       .show = Show::kDifference,
       .title = "against | fixed",
       .of = {"top1"},
       .to = "f"},
      {.name = "n", .show = Show::kSeeds, .title = "n"}};
  Cell label;
  label.text = "a|b_<script>";
  Cell top1 = number(86.404);
  top1.deviation = 0.3;
  top1.is_best = true;
  top1.marks = {"a"};
  top1.sources = {{"0123456789ab", "", 0, 86.4, "finished"}};
  Cell bits = number(3);
  bits.values = {3.0, 2.96};
  bits.is_missed = true;
  Cell difference = number(-0.404);
  difference.interval = Interval{-1.1, 0.3};
  table.sections = {
      {"resnet8",
       {{"q@3", "q", "a|b_<script>", false, {label, top1, bits, difference, number(3)}}}}};
  Cell none;
  none.values = {std::nullopt};
  Cell no_bits;
  no_bits.values = {std::nullopt, std::nullopt};
  table.sections[0].rows.push_back(
      {"r@2", "r", "r", true, {Cell{.text = "r"}, none, no_bits, none, number(0)}});
  ClaimResult claim;
  claim.text = "It holds, p < 0.05.";
  table.claims = {claim};
  table.footnotes = {{"a", "1 of 3 seeds missing."}, {"", "±: deviation (n − 1)."}};
  PublishedRow published{
      .model = "ResNet18", .method = "LSQ", .weight_bits = "4", .activation_bits = "4"};
  published.top1 = 70.3;
  published.fp32_top1 = 69.8;
  published.delta = 0.5;
  published.our_row = "q@3";
  published.our_delta = -1.25;
  published.delta_difference = -1.75;
  published.source_title = "A & B";
  published.source_url = "https://example.org/?a=1&b=2";
  table.published = {published};
  return table;
}

TEST(TableFormatTest, MarkdownCanBePasted) {
  const std::string text = table_as_markdown(make_table());
  EXPECT_THAT(text, HasSubstr("| method | top-1, % | bits W / A | against \\| fixed | n |\n"
                              "| :--- | ---: | ---: | ---: | ---: |\n"
                              "| a\\|b_&lt;script> | **86.40 ± 0.30**<sup>a</sup> | (3.0 / 3.0) | "
                              "−0.40 [−1.10, +0.30] | 3 |\n"
                              "| r | – | – | – | 0 |\n"));
  EXPECT_THAT(text,
              AllOf(HasSubstr("### resnet8"), HasSubstr("- It holds, p < 0.05."),
                    HasSubstr("- <sup>a</sup> 1 of 3 seeds missing."),
                    HasSubstr("| +0.50 | q@3 | −1.25 | −1.75 | [A & B](https://example.org")));
}

// Paired environments and braces, as many cells in each line as columns, special characters
// escaped.
TEST(TableFormatTest, LatexIsWellFormed) {
  const std::string text = table_as_latex(make_table());
  EXPECT_THAT(text, AllOf(HasSubstr("\\begin{tabular}{@{}lrrrr@{}}"), HasSubstr("\\toprule"),
                          HasSubstr("\\bottomrule"), HasSubstr("\\addlinespace"),
                          HasSubstr("\\textbf{86.40 $\\pm$ 0.30}\\textsuperscript{a}"),
                          HasSubstr("$-$0.40 [$-$1.10, +0.30]"),
                          HasSubstr("\\caption{Top-1 \\& bits, 100\\% $<$new$>$}")));
  EXPECT_THAT(text, HasSubstr("a|b\\_$<$script$>$"));
  std::vector<std::string> open;
  int depth = 0;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with("%") || line.starts_with("  %")) continue;
    for (size_t i = 0; i < line.size(); ++i) {
      EXPECT_LT(static_cast<unsigned char>(line[i]), 0x80) << line;
      if (i > 0 && line[i - 1] == '\\') continue;
      depth += line[i] == '{' ? 1 : line[i] == '}' ? -1 : 0;
      EXPECT_NE(line[i], '%') << line;
      EXPECT_NE(line[i], '#') << line;
      EXPECT_NE(line[i], '_') << line;
    }
    EXPECT_GE(depth, 0);
    EXPECT_EQ(std::count(line.begin(), line.end(), '$') % 2, 0) << line;
    if (line.find("\\begin{") != std::string::npos)
      open.push_back(line.substr(7, line.find('}') - 7));
    if (line.find("\\end{") != std::string::npos) {
      ASSERT_FALSE(open.empty());
      EXPECT_EQ(line.substr(5, line.find('}') - 5), open.back());
      open.pop_back();
    }
    if (line.ends_with("\\\\") && line.find("\\multicolumn") == std::string::npos) {
      const auto cells =
          line.find("ResNet18") != std::string::npos || line.find("network") != std::string::npos
              ? 9
              : 4;
      EXPECT_EQ(std::count(line.begin(), line.end(), '&'), cells) << line;
    }
  }
  EXPECT_TRUE(open.empty());
  EXPECT_EQ(depth, 0);
}

// A table whose names try to be more than names, in every place where a name goes.
Table make_hostile_table() {
  const std::string name = "a}\\input{/etc/hostname}\n# *b* `c` [d](e) \x1b[31m";
  Table table = make_table();
  table.name = name;
  table.title = name;
  table.sections[0].name = name;
  table.sections[0].rows[0].address = "=1+1";
  table.sections[0].rows[0].cells[0].text = "=1+1";
  table.claims[0].text = "# " + name;
  table.footnotes = {{"a", name}, {"", "1. " + name}, {"", "- " + name}};
  table.published[0].source_title = name;
  table.published[0].quoted_from = "\n\\input{x}";
  table.published[0].source_url = "https://example.org/a) [x](javascript:b";
  return table;
}

TEST(TableFormatTest, NamesGiveLatexNoCommands) {
  const std::string text = table_as_latex(make_hostile_table());
  EXPECT_THAT(text, HasSubstr("\\label{tab:a--input--etc-hostname"));
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    const bool has_command = line.find("\\input") != std::string::npos;
    EXPECT_TRUE(!has_command || line.starts_with("  % ")) << line;
    for (const char c : line) EXPECT_GE(static_cast<unsigned char>(c), 0x20) << line;
  }
}

TEST(TableFormatTest, NamesGiveMarkdownNoSyntax) {
  const std::string text = table_as_markdown(make_hostile_table());
  EXPECT_THAT(text, AllOf(Not(HasSubstr(" *b*")), Not(HasSubstr(" `c`")), Not(HasSubstr("[d](e)")),
                          Not(HasSubstr("\n# ")), Not(HasSubstr("\x1b"))));
  EXPECT_THAT(text, HasSubstr("(https://example.org/a%29%20[x]%28javascript:b)"));
  EXPECT_THAT(text,
              AllOf(HasSubstr("\n- \\# a}"), HasSubstr("\n- 1\\. a}"), HasSubstr("\n- \\- a}")));
}

TEST(TableFormatTest, NamesGiveCsvNoFormulas) {
  EXPECT_THAT(table_as_csv(make_hostile_table()), HasSubstr("\n'=1+1,"));
  EXPECT_THAT(table_as_csv(make_hostile_table()), HasSubstr(",'=1+1,86.404,"));
}

// Debian: apt-get install chktex. Left out are its opinions on the width of dashes (8), on spaces
// around them (36), and on quotes (18).
TEST(TableFormatTest, ChktexFindsNothingInTheLatex) {
  if (std::system("command -v chktex >/dev/null") != 0) GTEST_SKIP() << "no chktex";
  const testing::TemporaryFolder folder;
  const std::filesystem::path file = folder / "table.tex";
  std::ofstream(file) << table_as_latex(make_table());
  const std::string command =
      "cd '" + folder.path().string() + "' && chktex -q -n 8 -n 18 -n 36 table.tex >found.txt 2>&1";
  const int status = std::system(command.c_str());
  EXPECT_EQ(read_bytes(folder / "found.txt"), "");
  EXPECT_EQ(status, 0);
}

TEST(TableFormatTest, CsvHasAllDigitsAndAColumnForEachNumber) {
  EXPECT_EQ(table_as_csv(make_table()),
            "row,section,method,top1,top1_deviation,weight_bits,activation_bits,diff,diff_low,"
            "diff_high,diff_n,n,notes\n"
            "q@3,resnet8,a|b_<script>,86.404,0.3,3.0,2.96,-0.404,-1.1,0.3,3,3.0,1 of 3 seeds "
            "missing.\n"
            "r@2,resnet8,r,,,,,,,,0,0.0,\n");
}

TEST(TableFormatTest, HtmlEscapesEverythingThatRunsBring) {
  const std::string text = table_as_html(make_table());
  EXPECT_THAT(text, AllOf(HasSubstr("<th scope=\"row\">a|b_&lt;script&gt;</th>"),
                          HasSubstr("data-value=\"86.404\""),
                          HasSubstr("<tr data-row=\"q@3\" data-runs=\"0123456789\">"),
                          HasSubstr("<tr data-row=\"r@2\" data-runs=\"\" class=\"block\">"),
                          HasSubstr("href=\"https://example.org/?a=1&amp;b=2\""),
                          HasSubstr("<strong>86.40 ± 0.30</strong><sup>a</sup>")));
  EXPECT_THAT(text, Not(HasSubstr("<script")));
}

TEST(TableFormatTest, JsonHoldsTheRunsBehindEachCell) {
  const Json json = Json::parse(table_as_json(make_table()));
  const Json& cells = json["sections"][0]["rows"][0]["cells"];
  EXPECT_EQ(cells["top1"]["value"], 86.404);
  EXPECT_EQ(cells["top1"]["best"], true);
  EXPECT_EQ(cells["top1"]["runs"][0]["key"], "0123456789ab");
  EXPECT_EQ(cells["bits"]["values"]["activation_bits"], 2.96);
  EXPECT_EQ(cells["diff"]["interval95"], (Json{-1.1, 0.3}));
  EXPECT_EQ(json["footnotes"][0]["mark"], "a");
  EXPECT_EQ(json["published"][0]["delta_difference"], -1.75);
}

// For readers that draw the table themselves, as the Python package does.
TEST(TableFormatTest, JsonHoldsTheTextOfEachCell) {
  const Json json = Json::parse(table_as_json(make_table()));
  const Json& row = json["sections"][0]["rows"][0]["cells"];
  EXPECT_EQ(row["method"]["shown"], "a|b_<script>");
  EXPECT_EQ(row["top1"]["shown"], "86.40 ± 0.30");
  EXPECT_EQ(row["top1"]["marks"], Json{"a"});
  EXPECT_EQ(row["bits"]["shown"], "(3.0 / 3.0)");
  EXPECT_EQ(row["diff"]["shown"], "−0.40 [−1.10, +0.30]");
  EXPECT_EQ(json["sections"][0]["rows"][1]["cells"]["top1"]["shown"], "–");
  const Json& columns = json["columns"];
  EXPECT_EQ(columns[0]["show"], "label");
  EXPECT_EQ(columns[0]["numeric"], false);
  EXPECT_EQ(columns[3]["show"], "difference");
  EXPECT_EQ(columns[3]["numeric"], true);
}

TEST(TableFormatTest, AnUnknownFormatListsTheKnownOnes) {
  try {
    find_table_format("latx");
    FAIL();
  } catch (const InputError& error) {
    EXPECT_THAT(error.what(), AllOf(HasSubstr("unknown format 'latx'"),
                                    HasSubstr("csv, html, json, latex, markdown")));
  }
}

}  // namespace
}  // namespace qbitopt
