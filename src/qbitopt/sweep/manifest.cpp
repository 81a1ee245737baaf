#include "qbitopt/sweep/manifest.h"
