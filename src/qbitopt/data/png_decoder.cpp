#include "qbitopt/data/png_decoder.h"

#include <png.h>

#include <algorithm>
#include <csetjmp>
#include <cstdio>
#include <cstring>
#include <string>

#include "qbitopt/data/jpeg_decoder.h"

namespace qbitopt {
namespace {

// libpng reports errors by a call that must not return. What it needs, and what is to be freed when
// one comes, lives here, outside of the function that jumps.
struct PngReader {
  explicit PngReader(std::span<const uint8_t> bytes) : rest(bytes) {
    png = png_create_read_struct(PNG_LIBPNG_VER_STRING, this, on_error, on_warning);
    info = png_create_info_struct(png);
    png_set_read_fn(png, this, on_read);
  }
  ~PngReader() { png_destroy_read_struct(&png, &info, nullptr); }
  PngReader(const PngReader&) = delete;
  PngReader& operator=(const PngReader&) = delete;

  [[noreturn]] static void on_error(png_structp png, png_const_charp message) {
    auto* reader = static_cast<PngReader*>(png_get_error_ptr(png));
    std::snprintf(reader->message, sizeof(reader->message), "%s", message);
    std::longjmp(reader->back, 1);
  }
  static void on_warning(png_structp, png_const_charp) {}
  static void on_read(png_structp png, png_bytep target, size_t size) {
    auto* reader = static_cast<PngReader*>(png_get_io_ptr(png));
    if (size > reader->rest.size()) png_error(png, "it ends too early");
    std::memcpy(target, reader->rest.data(), size);
    reader->rest = reader->rest.subspan(size);
  }

  std::span<const uint8_t> rest;
  png_structp png = nullptr;
  png_infop info = nullptr;
  std::jmp_buf back;
  char message[256] = {};
  std::vector<uint8_t> row;
};

// Returns the number of passes.
int ask_for_rgbx(png_structp png, png_infop info) {
  png_set_strip_16(png);  // the upper 8 bits
  png_set_palette_to_rgb(png);
  png_set_expand_gray_1_2_4_to_8(png);
  png_set_gray_to_rgb(png);
  png_set_strip_alpha(png);
  png_set_filler(png, 0, PNG_FILLER_AFTER);
  const int passes = png_set_interlace_handling(png);
  png_read_update_info(png, info);
  return passes;
}

// All rows are read, so that damage anywhere is found; of a picture in one pass those of `readable`
// are kept.
void read_rows(PngReader& reader, const ImageSize& image, const Box& readable,
               DecodedCrop& decoded) {
  const int passes = ask_for_rgbx(reader.png, reader.info);
  const size_t stride = static_cast<size_t>(image.width) * 4;
  if (png_get_rowbytes(reader.png, reader.info) != stride)
    png_error(reader.png, "rows of another length");
  const bool is_whole = passes > 1;
  const int left = is_whole ? 0 : static_cast<int>(readable.x);
  const int top = is_whole ? 0 : static_cast<int>(readable.y);
  decoded.width = is_whole ? image.width : static_cast<int>(readable.width);
  decoded.height = is_whole ? image.height : static_cast<int>(readable.height);
  const size_t kept = static_cast<size_t>(decoded.width) * 4;
  decoded.pixels.resize(kept * static_cast<size_t>(decoded.height) + kSlack);
  reader.row.resize(stride);
  for (int pass = 0; pass < passes; ++pass) {
    for (int y = 0; y < image.height; ++y) {
      const bool is_kept = y >= top && y < top + decoded.height;
      uint8_t* target = decoded.pixels.data() + kept * static_cast<size_t>(is_kept ? y - top : 0);
      if (is_whole) {
        png_read_row(reader.png, target, nullptr);
        continue;
      }
      png_read_row(reader.png, reader.row.data(), nullptr);
      if (is_kept) std::memcpy(target, reader.row.data() + static_cast<size_t>(left) * 4, kept);
    }
  }
  for (Box* box : {&decoded.box, &decoded.bounds}) {
    box->x -= left;
    box->y -= top;
  }
}

}  // namespace

void decode_png_crop(std::span<const uint8_t> file, const ChooseCrop& choose, int output_size,
                     DecodedCrop& decoded) {
  PngReader reader(file);
  if (setjmp(reader.back)) throw BadImage(std::string("damaged PNG: ") + reader.message);
  png_read_info(reader.png, reader.info);
  const ImageSize image{static_cast<int>(png_get_image_width(reader.png, reader.info)),
                        static_cast<int>(png_get_image_height(reader.png, reader.info))};
  const Crop crop = choose(image);
  decoded.box = crop.box;
  decoded.bounds = readable_pixels(crop, image, output_size);
  read_rows(reader, image, decoded.bounds, decoded);
}

}  // namespace qbitopt
