#pragma once
#include "Arduino.h"

enum { CHR_PROPS_NOTIFY, SECMODE_OPEN, SECMODE_NO_ACCESS, NRF_POWER_DCDC_ENABLE };
enum { BLE_GAP_EVENT_LENGTH_DEFAULT, BLE_GAP_ADV_FLAGS_LE_ONLY_GENERAL_DISC_MODE };
static void sd_power_dcdc_mode_set(int) {}

struct BLEService {
    BLEService(const char *) {}
    void begin() {}
};
struct BLECharacteristic {
    BLECharacteristic(const char *, int, int) {}
    void setPermission(int, int) {}
    void begin() {}
    bool notifyEnabled() { return now > 1e6 && now < 1e6 * (1 + setting("SECONDS")); }
    void notify(const uint8_t *data, size_t size) { tell("notify", data, size); }
};
struct BLEBas {
    void begin() {}
    void write(uint8_t) {}
    void notify(uint8_t level) { printf("%.0f battery %d\n", now, level); }
};
static struct {
    void configPrphConn(int, int, int, int) {}
    void autoConnLed(bool) {}
    void begin() {}
    void setName(const char *) {}
    void setTxPower(int) {}
    struct {
        void setConnInterval(int, int) {}
    } Periph;
    struct {
        void addFlags(int) {}
        void addService(BLEService &) {}
        void restartOnDisconnect(bool) {}
        void setInterval(int, int) {}
        void setFastTimeout(int) {}
        void start(int) {}
        void addName() {}
    } Advertising, ScanResponse;
} Bluefruit;
