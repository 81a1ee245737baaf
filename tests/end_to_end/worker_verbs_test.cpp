// The verbs that need tensors or decoded images: predict, models --quantizers, doctor --data.
#include <fmt/format.h>
#include <gmock/gmock.h>

#include <cmath>
#include <cstdlib>

#include "end_to_end/examples.h"
#include "end_to_end/sandbox.h"

namespace qbitopt {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

std::string from_hex(const std::string& hex) {
  std::string bytes;
  for (size_t i = 0; i < hex.size(); i += 2)
    bytes += static_cast<char>(std::stoi(hex.substr(i, 2), nullptr, 16));
  return bytes;
}

// 8x8 pixels, orange.
std::string png() {
  return from_hex(
      "89504e470d0a1a0a0000000d49484452000000080000000808020000004b6d29dc000000114944415478da633861"
      "238215310c2d0900875d460128455a850000000049454e44ae426082");
}

// 8x4 pixels, red and blue side by side.
std::string wide_png() {
  return from_hex(
      "89504e470d0a1a0a0000000d49484452000000080000000408020000003cafe9a700000014494441547"
      "8da63f8cfc0004748ccff0cd49300003a7e1fe1d896a5a50000000049454e44ae426082");
}

class WorkerVerbsTest : public testing::Sandbox {
 protected:
  WorkerVerbsTest() { environment_["QBITOPT_WORKER"] = QBITOPT_WORKER; }

  // Trains `model` on a folder of photographs with a normalization, a size, grids and places of
  // quantizers of its own. Returns the job.
  std::string train_on_photographs(const std::string& model, const std::string& quantizers) {
    for (const char* kind : {"a", "b"}) {
      for (int i = 0; i < 20; ++i)
        write(fmt::format("photos/train/{}/{}.png", kind, i), i % 2 == 0 ? png() : wide_png());
    }
    write("photos/val/a/1.png", png());
    write("photos/val/b/1.png", wide_png());
    write("own.yaml", R"(qbitopt: 1
name: own
set:
  method: fixed_precision
  model: )" + model + R"(
  data: {name: imagenet, root: photos, classes: 2, image_size: 16, resize: 320,
         pixel_mean: [0.9, 0.1, 0.2], pixel_deviation: [0.5, 0.4, 0.3]}
  weights.train: true
  pretraining: {steps: 4, batch_size: 16}
  training: {steps: 4, batch_size: 16}
  calibration: {batches: 1, batch_size: 16}
  budget.average_bits: 3
  quantizers: )" + quantizers +
                          "\n");
    const testing::Result result = qbitopt("run own.yaml");
    EXPECT_EQ(result.exit_code, 0) << result.err;
    return json_of("sql \"SELECT job FROM runs WHERE method = 'fixed_precision'\"")[0]["job"];
  }

  // What the job says of the two test images against what `predict` says of the files.
  void expect_answers_of(const std::string& job, const std::string& options) {
    const testing::Result exported =
        qbitopt("export-network " + job + " -o net.onnx --examples examples.safetensors");
    ASSERT_EQ(exported.exit_code, 0) << exported.err;
    const auto expected = testing::example_logits(read("examples.safetensors"));
    const Json answers =
        json_of("predict --logits " + options + " photos/val/a/1.png photos/val/b/1.png");
    ASSERT_EQ(answers.size(), expected.size());
    for (size_t i = 0; i < answers.size(); ++i) {
      for (size_t k = 0; k < 2; ++k)
        EXPECT_NEAR(answers[i]["logits"][k].get<double>(), expected[i].at(k), 1e-4) << options;
    }
    EXPECT_GT(std::abs(expected[0].at(0) - expected[1].at(0)), 1e-3);  // the images differ to it
  }

  // Folder of the attempt of a trained job with so many channels.
  std::string train(const std::string& method, int channels) {
    write("tiny.yaml", R"(qbitopt: 1
name: tiny
set:
  model: resnet8
  data: {name: synthetic, image_size: 8, train_images: 64, validation_images: 16, test_images: 16}
  pretraining: {steps: 4, batch_size: 16}
  training: {steps: 4, batch_size: 16}
  calibration: {batches: 1, batch_size: 16}
  budget.average_bits: 3
)");
    const testing::Result result = qbitopt("run tiny.yaml method=" + method +
                                           " data.image_channels=" + std::to_string(channels));
    EXPECT_EQ(result.exit_code, 0) << result.err;
    const Json rows = json_of("sql \"SELECT job FROM runs WHERE method = '" + method + "'\"");
    return "results/qbitopt.runs/" + rows[0]["job"].get<std::string>() + "/1/";
  }
};

TEST_F(WorkerVerbsTest, PredictNamesTheLikeliestClassesWithTheirProbabilities) {
  const std::string folder = train("fixed_precision", 3);
  write("orange.png", png());
  const std::string command = "predict --model resnet8 --weights " + folder + "model.pth ";
  const Json answer = json_of(command + "--logits orange.png orange.png");
  ASSERT_EQ(answer.size(), 2u);
  EXPECT_EQ(answer[0]["image"], "orange.png");
  EXPECT_EQ(answer[0]["top"], answer[1]["top"]);
  ASSERT_EQ(answer[0]["top"].size(), 5u);
  ASSERT_EQ(answer[0]["logits"].size(), 10u);
  double sum = 0;
  for (const Json& logit : answer[0]["logits"]) sum += std::exp(logit.get<double>());
  double before = 1;
  for (const Json& top : answer[0]["top"]) {
    const double probability = top["probability"];
    EXPECT_LE(probability, before);
    EXPECT_NEAR(probability,
                std::exp(answer[0]["logits"][top["index"].get<size_t>()].get<double>()) / sum,
                1e-5);
    before = probability;
  }
  EXPECT_EQ(json_of(command + "--allocation " + folder + "allocation.json orange.png").size(), 1u);
}

TEST_F(WorkerVerbsTest, PredictRunsATrainedNetworkAsItsJobHadIt) {
  const std::string job = train_on_photographs(
      "resnet8", "{signed_grid: symmetric, per_channel_weights: true, skip: [fc.weight]}");
  expect_answers_of(job, "--job " + job);
  const std::string left = "results/qbitopt.runs/" + job + "/1/model.pth";
  expect_answers_of(job, "--weights " + left);
  expect_answers_of(job, "--model resnet8 --weights " + left);

  const std::pair<std::string, std::string> cases[] = {
      {"--model resnet20 --weights " + left, "trained 'resnet8', not 'resnet20'"},
      {"--job " + job + " --weights " + left, "leave --weights out"},
      {"--job " + job + " --mean 0.5,0.5,0.5", "--mean is told by the job"},
      {"--job f00", "no job"}};
  for (const auto& [options, message] : cases) {
    const testing::Result result = qbitopt("predict " + options + " photos/val/a/1.png");
    EXPECT_EQ(result.exit_code, 2) << options;
    EXPECT_THAT(result.err, HasSubstr(message)) << options;
  }
  // Away from its folder nothing says how it was trained.
  std::filesystem::copy_file(folder_ / left, folder_ / "model.pth");
  EXPECT_THAT(qbitopt("predict --model resnet8 --weights model.pth photos/val/a/1.png").err,
              HasSubstr("model.pth holds quantizers, and no job.json beside it says how they were "
                        "trained"));
}

TEST_F(WorkerVerbsTest, PredictKnowsTheQuantizersOfAnExportedModule) {
  const std::string python = QBITOPT_SOURCE "/.venv/bin/python";
  if (!std::filesystem::exists(python)) GTEST_SKIP() << python << " with PyTorch is missing";
  write("my_net.py", R"(import torch
from torch import nn

class Net(nn.Module):
    def __init__(self):
        super().__init__()
        torch.manual_seed(0)
        self.stem = nn.Conv2d(3, 8, 4, stride=4)
        self.mix = nn.TransformerEncoderLayer(8, 2, dim_feedforward=16, activation="gelu", batch_first=True)
        self.head = nn.Linear(8, 2)

    def forward(self, images):
        return self.head(self.mix(self.stem(images).flatten(2).transpose(1, 2)).mean(1))
)");
  const std::string command = "cd " + folder_.string() + " && " + python +
                              " -W ignore " QBITOPT_SOURCE
                              "/tools/export_network.py my_net.py:Net --input 3x16x16 -o net.pt2";
  ASSERT_EQ(std::system(command.c_str()), 0);
  const std::string job =
      train_on_photographs("net.pt2", "{products: true, skip: [mix.linear1.*, head.weight]}");
  expect_answers_of(job, "--job " + job);
  std::filesystem::rename(folder_ / "net.pt2", folder_ / "moved.pt2");
  EXPECT_THAT(qbitopt("predict --job " + job + " photos/val/a/1.png").err,
              HasSubstr("name its copy with --model FILE"));
  EXPECT_EQ(qbitopt("predict --job " + job + " --model moved.pt2 photos/val/a/1.png").exit_code, 0);

  // Without a job: the file's size, and the normalization that is given.
  const auto logits = [&](const std::string& options) {
    const Json answers =
        json_of("predict --model moved.pt2 --logits " + options + " photos/val/a/1.png");
    return answers[0]["logits"];
  };
  EXPECT_NE(logits(""), logits("--mean 0.5,0.5,0.5 --deviation 0.5,0.5,0.5"));
  EXPECT_EQ(logits(""), logits("--mean 0.485,0.456,0.406 --deviation 0.229,0.224,0.225"));
  write("bits.json", R"({"mix.self_attn.matmul.left.input": 2})");
  EXPECT_NE(logits("--allocation bits.json --products"), logits(""));
  EXPECT_THAT(qbitopt("predict --model moved.pt2 --mean 2,x photos/val/a/1.png").err,
              HasSubstr("--mean takes three numbers from 0 to 1, as in 0.5,0.5,0.5; found '2,x'"));
}

TEST_F(WorkerVerbsTest, PredictWarnsOfRandomWeights) {
  write("orange.png", png());
  const testing::Result result = qbitopt("predict --model resnet18 orange.png");
  EXPECT_EQ(result.exit_code, 0) << result.err;
  EXPECT_THAT(result.err, HasSubstr("warning: without --weights FILE the weights are random, and "
                                    "so are the classes; `qbitopt models resnet18` names"));
  EXPECT_THAT(result.out, HasSubstr("orange.png\n"));
  EXPECT_EQ(qbitopt("predict --model resnet18 orange.png").out, result.out);
}

TEST_F(WorkerVerbsTest, PredictSaysWhatItCannotUse) {
  const std::string folder = train("fp32", 1);
  write("orange.png", png());
  write("text.png", "no image");
  write("wide.json", R"({"conv1.weight": 99})");
  write("text.json", R"({"conv1.weight": "x"})");
  write("half.json", R"({"conv1.weight": 2.5})");
  std::filesystem::create_directory(folder_ / "photos");
  const std::string command = "predict --model resnet8 --weights " + folder + "model.pth ";
  const std::string bare = "predict --model resnet8 ";
  const std::pair<std::string, std::string> cases[] = {
      {command + "orange.png", "takes images with 1 channel(s), but photographs have 3"},
      {bare + "text.png", "text.png: neither JPEG nor PNG"},
      {bare + "nowhere.png", "nowhere.png: no such file"},
      {bare + "photos", "photos: is a folder; name the photographs in it, photos/*"},
      {bare + "/dev/zero", "/dev/zero: is a device; expected a photograph"},
      {command, "no image is given"},
      {bare + "--allocation wide.json orange.png", "conv1.weight: 99 bits; expected 2 to 16"},
      {bare + "--allocation text.json orange.png",
       "text.json: 'conv1.weight': expected a whole number of bits, found \"x\""},
      {bare + "--allocation half.json orange.png", "expected a whole number of bits, found 2.5"},
      {"predict orange.png", "--model is missing"},
      {"predict --model resnet9 orange.png", "unknown model 'resnet9', did you mean 'resnet8'?"}};
  for (const auto& [words, message] : cases) {
    const testing::Result result = qbitopt(words);
    EXPECT_EQ(result.exit_code, 2) << words;
    EXPECT_THAT(result.err, HasSubstr(message)) << words;
  }
}

TEST_F(WorkerVerbsTest, PredictAnswersForTheGoodPhotographsAndNamesTheOthers) {
  write("good.png", png());
  write("text.png", "no image");
  std::filesystem::create_directory(folder_ / "photos");
  const std::string photographs = " good.png text.png nowhere.png photos good.png";
  const testing::Result text = qbitopt("predict --model resnet8" + photographs);
  EXPECT_EQ(text.exit_code, 3);
  EXPECT_THAT(text.err, AllOf(HasSubstr("error: text.png: neither JPEG nor PNG"),
                              HasSubstr("error: nowhere.png: no such file"),
                              HasSubstr("error: photos: is a folder")));
  const size_t half = text.out.size() / 2;
  EXPECT_THAT(text.out, ::testing::StartsWith("good.png\n"));
  EXPECT_EQ(text.out.substr(0, half), text.out.substr(half));
  const testing::Result json = qbitopt("predict --model resnet8 --json" + photographs);
  EXPECT_EQ(json.exit_code, 3);
  EXPECT_EQ(Json::parse(json.out).size(), 2u);
  const testing::Result none = qbitopt("predict --model resnet8 --json text.png");
  EXPECT_EQ(none.exit_code, 2);
  EXPECT_EQ(none.out, "[]\n");
  write("bits.json", "{}");
  EXPECT_EQ(qbitopt("predict --model resnet8 --allocation bits.json" + photographs).exit_code, 3);
  EXPECT_THAT(qbitopt("predict --help").out, HasSubstr("3 if some cannot be read"));
}

// Red and blue side by side; EXIF says that red is the top.
TEST_F(WorkerVerbsTest, PredictTurnsAPhotographAsItsCameraWasHeld) {
  write("stored.png", wide_png());
  write(
      "turned.png",
      from_hex("89504e470d0a1a0a0000000d49484452000000080000000408020000003cafe9a70000001a655849664"
               "9492a0008000000010012010300010000000600000000000000b7481129000000144944415478da63f8"
               "cfc0004748ccff0cd49300003a7e1fe1d896a5a50000000049454e44ae426082"));
  write(
      "upright.png",
      from_hex("89504e470d0a1a0a0000000d49484452000000040000000808020000005151c9520000001549444154"
               "78da63f8cfc000470c4472885688e000007a421fe10b752a620000000049454e44ae426082"));
  const Json answers =
      json_of("predict --model resnet8 --logits stored.png turned.png upright.png");
  const auto distance = [&](size_t i, size_t j) {
    double sum = 0;
    for (size_t k = 0; k < answers[i]["logits"].size(); ++k)
      sum +=
          std::abs(answers[i]["logits"][k].get<double>() - answers[j]["logits"][k].get<double>());
    return sum;
  };
  EXPECT_LT(distance(1, 2), 0.05 * distance(0, 1));
}

TEST_F(WorkerVerbsTest, WeightsAreReadAsPeopleKeepThemOrConverted) {
  const std::string python = QBITOPT_SOURCE "/.venv/bin/python";
  if (!std::filesystem::exists(python)) GTEST_SKIP() << python << " with PyTorch is missing";
  const auto run = [&](const std::string& script) {
    const std::string command =
        "cd " + folder_.string() + " && " + python + " -W ignore " QBITOPT_SOURCE "/" + script;
    EXPECT_EQ(std::system(command.c_str()), 0) << script;
  };
  // Away from its job, as the others are.
  const std::string model = "left.pth";
  std::filesystem::copy_file(folder_ / (train("fp32", 3) + "model.pth"), folder_ / model);
  write("orange.png", png());
  const auto logits = [&](const std::string& weights) {
    return json_of("predict --model resnet8 --logits orange.png --weights " + weights);
  };
  const Json expected = logits(model);
  run("tests/end_to_end/torch_weights.py " + model);
  for (const char* file : {"compiled.pth", "averaged.pth", "lightning.pth", "net.pth"})
    EXPECT_EQ(logits(file), expected) << file;
  const std::pair<std::string, std::string> for_the_converter[] = {
      {"legacy.pth", ""},
      {"deflated.pth", ""},
      {"two.pth", " --key student"},
      {"beside.pth", " --prefix model."}};
  for (const auto& [file, options] : for_the_converter) {
    const testing::Result refused = qbitopt("predict --model resnet8 orange.png --weights " + file);
    EXPECT_EQ(refused.exit_code, 2) << file;
    EXPECT_THAT(refused.err, HasSubstr("tools/convert_weights.py")) << file;
    run("tools/convert_weights.py " + file + " converted.safetensors" + options);
    EXPECT_EQ(logits("converted.safetensors"), expected) << file;
  }
}

TEST_F(WorkerVerbsTest, ModelsListTheirSizesAndQuantizers) {
  EXPECT_THAT(qbitopt("models").out, AllOf(HasSubstr("MACs per image"), HasSubstr("11689512")));
  EXPECT_EQ(json_of("models resnet50")["weights"], 25557032);
  EXPECT_THAT(qbitopt("models resnet18").out, HasSubstr("tools/convert_weights.py"));
  const Json quantizers = json_of("models --quantizers resnet8");
  ASSERT_EQ(quantizers.size(), 18u);
  EXPECT_EQ(quantizers[1],
            Json::parse(R"({"name": "conv1.weight", "kind": "weight", "grid": "signed",
                            "elements": 144, "macs": 112896, "counted": false, "pinned_bits": 8})"));
  EXPECT_THAT(qbitopt("models --quantizers resnet8").out,
              HasSubstr("18 quantizers, 77754 parameters, 9345920 MACs for an image of 1x28x28"));
  EXPECT_THAT(qbitopt("models --quantizers resnet9").err, HasSubstr("did you mean 'resnet8'?"));
  EXPECT_THAT(qbitopt("models --help").out, HasSubstr("--quantizers"));
  const testing::Result wrong = qbitopt("models resnet18 --quantizers --image_size x");
  EXPECT_EQ(wrong.exit_code, 2);
  EXPECT_THAT(wrong.err, HasSubstr("--image_size takes a number from 8 to 4096, not 'x'"));
  const testing::Result alone = qbitopt("models resnet18 --classes 0");
  EXPECT_EQ(alone.exit_code, 2);
  EXPECT_THAT(alone.err, HasSubstr("--classes is an option of --quantizers"));
}

TEST_F(WorkerVerbsTest, ARunTellsWhichPhotographsItLeftOut) {
  for (const char* kind : {"a", "b"}) {
    for (int i = 0; i < 20; ++i) write(fmt::format("photos/train/{}/{}.png", kind, i), png());
    write(fmt::format("photos/val/{}/1.png", kind), png());
  }
  write("photos/val/b/1.png", "");
  write("photos.yaml", R"(qbitopt: 1
name: photos
set:
  method: fp32
  model: resnet8
  data: {name: imagenet, root: photos, classes: 2, image_size: 16}
  pretraining: {steps: 4, batch_size: 16}
)");
  const testing::Result good = qbitopt("run photos.yaml");
  EXPECT_EQ(good.exit_code, 0) << good.err;
  EXPECT_THAT(good.err,
              HasSubstr("1 image could not be decoded and was skipped: val/b/1.png (the file is "
                        "empty)"));
  write("photos/val/a/1.png", "no image");
  const testing::Result bad = qbitopt("run photos.yaml");
  EXPECT_EQ(bad.exit_code, 3) << bad.err;
  EXPECT_THAT(bad.err,
              HasSubstr("data: none of the 2 test images can be decoded to measure accuracy"));
}

TEST_F(WorkerVerbsTest, DoctorCountsAndDecodesTheImagesOfAFolder) {
  for (const char* file : {"train/a/1.png", "train/a/2.png", "train/b/1.png", "val/a/1.png"})
    write(std::string("photos/") + file, png());
  write("photos/val/b/1.JPEG", "");
  const testing::Result result = qbitopt("doctor --data photos --classes 2");
  EXPECT_EQ(result.exit_code, 2);
  EXPECT_THAT(result.out, AllOf(HasSubstr("train: 3 images in 2 classes; 0 cannot be decoded\n"),
                                HasSubstr("val: 2 images in 2 classes; 1 cannot be decoded\n"),
                                HasSubstr("  val/b/1.JPEG: the file is empty\n")));
  write("photos/val/b/1.JPEG", png());  // as one of ImageNet's is
  EXPECT_EQ(qbitopt("doctor --data photos --classes 2").exit_code, 0);
  EXPECT_THAT(qbitopt("doctor --data photos").err, HasSubstr("photos"));
  EXPECT_THAT(qbitopt("doctor --data photos --classes two").err,
              HasSubstr("--classes takes a number from 2 on, not 'two'"));
}

TEST_F(WorkerVerbsTest, DoctorTellsTheLabelsAndWhatIsLeftOut) {
  for (const char* file : {"train/10/1.png", "train/2/1.png", "val/2/1.png", "train/2/x.webp"})
    write(std::string("photos/") + file, png());
  std::filesystem::create_directories(folder_ / "photos/train/lost+found");
  write("photos/train/2/a\n\x1b[31m.png", "");
  EXPECT_THAT(qbitopt("doctor --data photos --classes 2").out,
              HasSubstr("  train/2/a\\n\\x1b[31m.png: the file is empty\n"));
  std::filesystem::remove(folder_ / "photos/train/2/a\n\x1b[31m.png");
  const testing::Result result = qbitopt("doctor --data photos --classes 2");
  EXPECT_EQ(result.exit_code, 0) << result.err;
  EXPECT_THAT(result.out, AllOf(HasSubstr("labels: 0 -> 10, 1 -> 2\n"),
                                HasSubstr("left out: train/lost+found holds no images\n"),
                                HasSubstr("left out: train/2/x.webp is no .JPEG, .jpg or .png")));
  const Json json = json_of("doctor --data photos --classes 2 --json");
  EXPECT_EQ(json["labels"], Json::parse(R"(["10", "2"])"));
  EXPECT_EQ(json["left_out"].size(), 2u);
}

// By one list of files, so in one voice.
TEST_F(WorkerVerbsTest, DoctorPlanAndRunAcceptTheSameFolders) {
  for (int i = 0; i < 20; ++i) {
    write(fmt::format("disk [1]/train/a/{}.png", i), png());
    write(fmt::format("disk [1]/train/b/{}.png", i), png());
  }
  write("disk [1]/val/b/1.png", png());
  write("disk [1]/val/b/Thumbs.db", "x");
  std::filesystem::create_symlink("/nowhere", folder_ / "disk [1]/train/a/z.png");
  std::filesystem::create_directories(folder_ / "disk [1]/train/lost+found");
  write("photos.yaml", R"(qbitopt: 1
name: photos
set:
  method: fp32
  model: resnet8
  data: {name: imagenet, root: "disk [1]", classes: 2, image_size: 16}
  pretraining: {steps: 4, batch_size: 16}
)");
  EXPECT_THAT(qbitopt("doctor --data 'disk [1]' --classes 2").out,
              AllOf(HasSubstr("train: 41 images in 2 classes; 1 cannot be decoded"),
                    HasSubstr("train/a/z.png: is a link that leads nowhere")));
  EXPECT_EQ(qbitopt("plan photos.yaml").exit_code, 0);
  const testing::Result run = qbitopt("run photos.yaml");
  EXPECT_EQ(run.exit_code, 0) << run.err;
  EXPECT_THAT(run.err, HasSubstr("left out: train/lost+found holds no images"));

  const std::string words = "/train: holds 2 classes; data.classes is 3; they are 'a', 'b'";
  EXPECT_THAT(qbitopt("doctor --data 'disk [1]' --classes 3").err, HasSubstr(words));
  const testing::Result plan = qbitopt("plan photos.yaml data.classes=3");
  EXPECT_EQ(plan.exit_code, 2);
  EXPECT_THAT(plan.err, HasSubstr(words));
}

}  // namespace
}  // namespace qbitopt
