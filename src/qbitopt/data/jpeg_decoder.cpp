#include "qbitopt/data/jpeg_decoder.h"

// jpeglib.h needs what comes first.
#include <cstddef>
#include <cstdio>
//
#include <jpeglib.h>

#include <algorithm>
#include <cmath>
#include <csetjmp>
#include <string>

namespace qbitopt {
namespace {

struct ErrorManager {
  jpeg_error_mgr base;
  std::jmp_buf back;
  char message[JMSG_LENGTH_MAX] = {};
};

[[noreturn]] void on_error(j_common_ptr info) {
  auto* manager = reinterpret_cast<ErrorManager*>(info->err);
  (*info->err->format_message)(info, manager->message);
  std::longjmp(manager->back, 1);
}

void on_warning(j_common_ptr info, int level) {
  if (level < 0) ++info->err->num_warnings;
}

// A file can repeat passes over the image at will; those that programs write have about ten.
void on_progress(j_common_ptr info) {
  constexpr int kMostScans = 500;
  if (reinterpret_cast<j_decompress_ptr>(info)->input_scan_number <= kMostScans) return;
  auto* manager = reinterpret_cast<ErrorManager*>(info->err);
  std::snprintf(manager->message, sizeof(manager->message), "more than %d scans", kMostScans);
  std::longjmp(manager->back, 1);
}

// libjpeg reports errors by a call that must not return: back to where decoding was begun. What is
// to be freed then lives here, outside of the function that jumps.
struct Decompressor {
  Decompressor() {
    info.err = jpeg_std_error(&errors.base);
    errors.base.error_exit = on_error;
    errors.base.emit_message = on_warning;
    jpeg_create_decompress(&info);
    progress.progress_monitor = on_progress;
    info.progress = &progress;
  }
  ~Decompressor() { jpeg_destroy_decompress(&info); }  // also in the middle of the image
  Decompressor(const Decompressor&) = delete;
  Decompressor& operator=(const Decompressor&) = delete;

  jpeg_decompress_struct info;
  ErrorManager errors;
  jpeg_progress_mgr progress = {};
};

// Red, green and blue from cyan, magenta, yellow and key, which files hold inverted, as Adobe
// began it; Pillow takes them so, too, and rounds like this.
void cmyk_to_rgbx(uint8_t* row, int width) {
  for (int x = 0; x < width; ++x, row += 4) {
    const int key = row[3];
    for (int c = 0; c < 3; ++c) {
      const int product = (255 - row[c]) * key + 128;
      row[c] = static_cast<uint8_t>(std::max(0, key - (((product >> 8) + product) >> 8)));
    }
  }
}

// The smallest of 8/8, 4/8, 2/8 and 1/8 at which the box still has output_size pixels each way.
int scale_numerator(const Box& box, int output_size) {
  int numerator = 8;
  while (numerator > 1 && std::min(box.width, box.height) * numerator / 2 >= 8.0 * output_size) {
    numerator /= 2;
  }
  return numerator;
}

Box scaled(const Box& box, double x_scale, double y_scale) {
  return {box.x * x_scale, box.y * y_scale, box.width * x_scale, box.height * y_scale};
}

// Decodes rows and columns of `readable` (in decoded pixels), and places the boxes into them.
void decode_part(jpeg_decompress_struct& info, const Box& readable, DecodedCrop& decoded) {
  const auto top = static_cast<JDIMENSION>(readable.y);
  const auto bottom = static_cast<JDIMENSION>(readable.y + readable.height);
  // Upsampling of chroma needs a neighbor, so that a column at an edge of the decoded part would
  // differ from the whole image's.
  constexpr JDIMENSION kMargin = 2;
  JDIMENSION left = static_cast<JDIMENSION>(readable.x);
  left -= std::min(left, kMargin);
  const JDIMENSION right =
      std::min(info.output_width, static_cast<JDIMENSION>(readable.x + readable.width) + kMargin);
  JDIMENSION width = right - left;
  if (width < info.output_width) jpeg_crop_scanline(&info, &left, &width);
  if (top > 0) jpeg_skip_scanlines(&info, top);

  decoded.width = static_cast<int>(width);
  decoded.height = static_cast<int>(bottom - top);
  decoded.pixels.resize(static_cast<size_t>(decoded.width) * decoded.height * 4 + kSlack);
  const bool is_cmyk = info.out_color_space == JCS_CMYK;
  const size_t stride = static_cast<size_t>(decoded.width) * 4;
  for (int y = 0; y < decoded.height;) {
    JSAMPROW rows[8];
    const int wanted = std::min(8, decoded.height - y);
    for (int i = 0; i < wanted; ++i) rows[i] = decoded.pixels.data() + (y + i) * stride;
    const int got =
        static_cast<int>(jpeg_read_scanlines(&info, rows, static_cast<JDIMENSION>(wanted)));
    for (int i = 0; is_cmyk && i < got; ++i) {
      cmyk_to_rgbx(rows[i], decoded.width);
    }
    y += got;
  }
  decoded.bounds = readable;
  for (Box* box : {&decoded.box, &decoded.bounds}) {
    box->x -= left;
    box->y -= top;
  }
}

}  // namespace

Box readable_pixels(const Crop& crop, const ImageSize& image, int output_size) {
  const Box& box = crop.box;
  const double across = crop.reads_beyond ? filter_support(box.width, output_size) : 0;
  const double along = crop.reads_beyond ? filter_support(box.height, output_size) : 0;
  const double left = std::max(0.0, std::floor(box.x - across));
  const double top = std::max(0.0, std::floor(box.y - along));
  const double right = std::min<double>(image.width, std::ceil(box.x + box.width + across));
  const double bottom = std::min<double>(image.height, std::ceil(box.y + box.height + along));
  return {left, top, right - left, bottom - top};
}

void decode_jpeg_crop(std::span<const uint8_t> file, const ChooseCrop& choose, int output_size,
                      DecodedCrop& decoded) {
  Decompressor decompressor;
  jpeg_decompress_struct& info = decompressor.info;
  if (setjmp(decompressor.errors.back))
    throw BadImage(std::string("damaged JPEG: ") + decompressor.errors.message);
  jpeg_mem_src(&info, file.data(), file.size());
  jpeg_read_header(&info, TRUE);
  const bool has_four_inks = info.num_components == 4;
  info.out_color_space = has_four_inks ? JCS_CMYK : JCS_EXT_RGBX;

  const ImageSize image{static_cast<int>(info.image_width), static_cast<int>(info.image_height)};
  Crop crop = choose(image);
  info.scale_num = static_cast<unsigned>(scale_numerator(crop.box, output_size));
  info.scale_denom = 8;
  jpeg_start_decompress(&info);
  const double x_scale = static_cast<double>(info.output_width) / image.width;
  const double y_scale = static_cast<double>(info.output_height) / image.height;
  crop.box = scaled(crop.box, x_scale, y_scale);
  decoded.box = crop.box;
  const ImageSize output{static_cast<int>(info.output_width), static_cast<int>(info.output_height)};
  decode_part(info, readable_pixels(crop, output, output_size), decoded);
}

}  // namespace qbitopt
