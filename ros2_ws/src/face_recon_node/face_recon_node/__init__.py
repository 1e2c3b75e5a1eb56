"""Earphone IMU windows to facial landmarks, blendshapes, mesh and affect; training of IMUTwinTrans."""
