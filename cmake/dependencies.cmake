# Every library this project stands on, found in one place: what it is for, and what it is called elsewhere.
include(need)

qbitopt_need(Threads FOR "threads" APT libc6-dev DNF glibc-devel CONDA gxx)
qbitopt_need(Boost FIND 1.74 COMPONENTS program_options filesystem FOR "command line, processes, plugins"
  APT libboost-dev libboost-program-options-dev libboost-filesystem-dev DNF boost-devel CONDA libboost-devel)
qbitopt_need(fmt FOR "text" APT libfmt-dev DNF fmt-devel CONDA fmt)
qbitopt_need(yaml-cpp FOR "sweep files" APT libyaml-cpp-dev DNF yaml-cpp-devel CONDA yaml-cpp)
qbitopt_need(nlohmann_json FOR "JSON between driver and worker" APT nlohmann-json3-dev DNF json-devel CONDA nlohmann_json)
qbitopt_need(SQLiteCpp FOR "the results' database" APT libsqlitecpp-dev libsqlite3-dev DNF sqlitecpp-devel CONDA sqlitecpp)
qbitopt_need(OpenSSL FIND COMPONENTS Crypto FOR "SHA-256" APT libssl-dev DNF openssl-devel CONDA openssl)
qbitopt_need(CURL TARGET CURL::libcurl FOR "downloading published weights" APT libcurl4-openssl-dev DNF libcurl-devel CONDA libcurl)
qbitopt_need(ZLIB FOR "compressed images" APT zlib1g-dev DNF zlib-devel CONDA zlib)
qbitopt_need(protozero FOR "ONNX and TensorBoard files" APT libprotozero-dev DNF protozero-devel CONDA protozero)
qbitopt_need(JPEG FOR "photographs (libjpeg-turbo: parts of an image)" APT libjpeg-dev DNF libjpeg-turbo-devel CONDA libjpeg-turbo)
qbitopt_need(PNG FOR "photographs" APT libpng-dev DNF libpng-devel CONDA libpng)
if(NOT QBITOPT_FUZZ)  # clang has an OpenMP runtime of its own, beside LibTorch's: fuzzers do without
  qbitopt_need(OpenMP FIND COMPONENTS CXX FOR "threads inside a kernel" APT g++ DNF gcc-c++ CONDA gxx)
endif()
if(QBITOPT_TESTS)
  qbitopt_need(GTest TARGET GTest::gmock FOR "tests" APT libgtest-dev libgmock-dev DNF gtest-devel gmock-devel CONDA gtest gmock)
endif()
if(QBITOPT_BENCHMARKS)
  qbitopt_need(benchmark FOR "benchmarks" APT libbenchmark-dev DNF google-benchmark-devel CONDA benchmark)
endif()

file(GLOB QBITOPT_OWN_TORCH ${CMAKE_CURRENT_LIST_DIR}/../.venv/lib/python3*/site-packages/torch)  # by `make setup`
include(torch)
if(NOT Torch_FOUND)
  qbitopt_missing(Torch FOR "tensors and gradients: LibTorch ${QBITOPT_TORCH_MINIMUM} or newer, which `make setup` puts into .venv"
    APT "none new enough" DNF "none new enough" CONDA "none; unpack libtorch and name it in CMAKE_PREFIX_PATH")
endif()
